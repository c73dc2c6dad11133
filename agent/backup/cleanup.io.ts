import { ExitStatus } from '../contract'
import { describeError } from '../errors'
import type { Deps } from '../context'
import { takeLock } from '../host/lock.io'
import { removeScratches } from '../host/scratch.io'
import { removeLeftovers, type Leftovers } from '../source/leftovers.io'
import type { CleanupRequest, WithHost } from '../options/commands'
import type { Outcome } from '../outcome'
import type { CleanupOutput } from './output-schema'
import { joinLines } from '../lib/text'

/**
 * Removes what killed runs left behind on this host, and nothing else.
 *
 * @returns status `cleanupFailed` where something could not be removed; all the rest was
 * @throws AgentError BUSY while a run is under way
 */
export async function cleanup(deps: Deps, request: WithHost<CleanupRequest>): Promise<Outcome<CleanupOutput>> {
  await using _lock = await takeLock(deps)
  return await cleanUpHost(deps, request)
}

/** As `cleanup`, with the lock held. */
export async function cleanUpHost(deps: Deps, request: WithHost<CleanupRequest>): Promise<Outcome<CleanupOutput>> {
  const scratches = await removeScratches(deps, request.scratch, request.dryRun)
  const { leftBehind, ...leftovers } = await removeLeftovers(deps, { ...request, everywhere: true })
  const removed = { ...leftovers, ...(scratches.removed.length > 0 && { scratches: scratches.removed }) }
  const left = [...scratches.leftBehind, ...leftBehind].flatMap(describeError)
  return {
    status: left.length > 0 ? ExitStatus.cleanupFailed : ExitStatus.ok,
    summary: formatCleanup(removed, left, request.dryRun),
    json: { dryRun: request.dryRun, ...removed, leftBehind: left },
  }
}

/** What is left comes first: something has to be done about it. */
function formatCleanup(
  { mounts, snapshots, uploads, scratches = [] }: Leftovers & { readonly scratches?: readonly string[] },
  leftBehind: readonly string[],
  dryRun: boolean,
): string {
  const removed = [
    ...mounts.map((mountPoint) => `  mount     ${mountPoint}`),
    ...snapshots.map(({ name }) => `  snapshot  ${name}`),
    ...uploads.map(({ key }) => `  upload    ${key}`),
    ...scratches.map((path) => `  drill     ${path}`),
  ]
  const left = leftBehind.map((line) => `  LEFT BEHIND ${line}`)
  if (removed.length === 0) {
    return left.length === 0
      ? 'Nothing was left behind.'
      : joinLines(['Nothing that killed runs left behind could be removed:', ...left])
  }
  if (left.length > 0) {
    return joinLines([
      'Not everything that killed runs left behind could be removed:',
      ...left,
      '  removed:',
      ...removed,
    ])
  }
  return joinLines([`${dryRun ? 'Would remove' : 'Removed'} what killed runs left behind:`, ...removed])
}
