/** What is told of archives in Glacier: while they are being retrieved, and when somebody asks. */
import { retrievalDuration } from '../bucket/glacier'
import type { RetrievalOptions } from '../context'
import type { RetrievalTier } from '../contract'
import { columns, counted, joinLines } from '../lib/text'
import type { Told } from '../outcome'
import type { Manifest } from '../run/manifest'
import type { restoreStatusOutput } from './output-schema'

export function formatRetrieving(
  objects: number,
  storageClasses: readonly string[],
  { tier, days }: RetrievalOptions,
): string {
  return joinLines([
    `Waiting for Glacier: ${counted(objects, 'object is', 'objects are')} being thawed, ${describeRetrieval(storageClasses, tier)}`,
    `  Once retrieved, they stay readable for ${days} days. Run the same command again then, or now with --wait.`,
    '  "snapstream restore-status" with the same options shows the progress.',
  ])
}

/** Objects of a volume, by whether they can be read. */
export type RetrievalStatus = Told<typeof restoreStatusOutput>['volumes'][number]

export function formatRetrievalStatus({ run, host }: Manifest, volumes: readonly RetrievalStatus[]): string {
  const ready = volumes.every(
    ({ readable, thawing, frozen, missing }) => readable > 0 && thawing + frozen + missing === 0,
  )
  return joinLines([
    `Archives of ${run} of ${host}: ${ready ? 'can be read now' : 'cannot all be read now'}`,
    ...columns(
      volumes.map(({ mountPoint, storageClasses, ...counts }) => [
        mountPoint,
        storageClasses.join(', '),
        ...(['readable', 'thawing', 'frozen', 'missing'] as const).flatMap((name) =>
          counts[name] === 0 ? [] : [`${counts[name]} ${name}`],
        ),
      ]),
    ),
    ...(volumes.some(({ frozen }) => frozen > 0)
      ? ['  Request what is frozen with "snapstream restore --thaw bulk".']
      : []),
    ...(volumes.some(({ missing }) => missing > 0)
      ? ['  Missing objects do not come back by waiting: restore the rest with "snapstream restore --best-effort".']
      : []),
    ...volumes
      .filter(({ catalog }) => catalog !== 'good')
      .map(
        ({ mountPoint, catalog }) =>
          `  The catalog of ${mountPoint} is ${catalog}: a restore rebuilds it from the whole archive.`,
      ),
  ])
}

/** How long it takes, of each of these storage classes. */
export function describeRetrieval(storageClasses: readonly string[], tier: RetrievalTier): string {
  const times = storageClasses.flatMap((name) => retrievalDuration(name, tier) ?? [])
  return times.length === 0
    ? `${tier} is not available for ${storageClasses.join(', ')}`
    : `${times.join(' or ')} with ${tier}`
}
