/** Which storage class archives are in at which age. */
import { Prefix } from '../../agent/contract'
import type { StorageRule } from '../vault'
import type { FleetConfig } from './config'

/** In days of an archive's age. */
export interface Stay {
  readonly storageClass: string
  readonly fromDay: number
  /** Absent: for ever. */
  readonly toDay?: number
}

/**
 * One after the other, the first from day 0.
 *
 * @param rules - as the bucket has them; undefined where they are not known: then as the deployment wants them
 */
export function staysOf(
  className: string,
  { classes }: Pick<FleetConfig, 'classes'>,
  rules: readonly StorageRule[] | undefined,
): readonly Stay[] {
  const policy = classes.find(({ name }) => name === className)
  const place = `${Prefix.data}/${className}/`
  const matching = rules?.filter(({ prefix }) => place.startsWith(prefix))
  const moves =
    matching?.filter(({ needsTag }) => !needsTag).flatMap(({ transitions }) => transitions) ?? policy?.transitions ?? []
  const ends = matching?.flatMap(({ expireAfterDays }) => expireAfterDays ?? []) ?? []
  const end = ends.length > 0 ? Math.min(...ends) : policy && policy.expireAfterDays + policy.fullEveryDays
  const first = { afterDays: 0, storageClass: policy?.storageClass ?? 'STANDARD' }
  const all = [first, ...moves.toSorted((a, b) => a.afterDays - b.afterDays)].filter(
    ({ afterDays }) => end === undefined || afterDays < end,
  )
  return all.map(({ afterDays, storageClass }, index) => {
    const toDay = all[index + 1]?.afterDays ?? end
    return { storageClass, fromDay: afterDays, ...(toDay !== undefined && { toDay }) }
  })
}

/** What is older than the last stay is still in it: it has not been superseded. */
export function stayAt(stays: readonly Stay[], ageDays: number): Stay {
  return stays.findLast(({ fromDay }) => ageDays >= fromDay) ?? stays[0] ?? { storageClass: 'STANDARD', fromDay: 0 }
}
