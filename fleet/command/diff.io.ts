/** What changed between two runs, by their catalogs alone: no archive is read, and none has to be thawed. */
import { open } from 'node:fs/promises'
import { readEntries } from '../../agent/archive/read-catalog.io'
import { parseManifestKey, Prefix, type RunKey } from '../../agent/contract'
import type { StoreDeps } from '../../agent/context'
import { AgentError } from '../../agent/errors'
import { printableJson } from '../../agent/lib/printable'
import { counted } from '../../agent/lib/text'
import type { Outcome } from '../../agent/outcome'
import type { VolumeBackup } from '../../agent/run/manifest'
import { openRunAt, type OpenRun } from '../../agent/run/runs'
import { chooseVolumes } from '../../agent/run/volumes'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import { explainComparing } from './denied'
import { pairVolumes, type VolumePair } from './diff-volumes'
import { formatDiff, reportChange, tallyChanges, type Counts, type ReportedChange } from './diff-report'
import type { DiffOutput } from './diff-schema'
import { findChanges } from './merge'
import { sortEntries } from './sort-entries.io'

/**
 * @returns status `incomplete` where some filesystem could not be compared
 * @throws AgentError ACCESS_DENIED, UNKNOWN_RUN, UNKNOWN_VOLUME, USAGE, MISDATED; ARCHIVE_DAMAGED for a catalog that is not what it should be
 */
export async function diff(deps: CommandDeps, request: Request<'diff'>): Promise<Outcome<DiffOutput>> {
  return compare(deps, request).catch((error: unknown) => {
    throw explainComparing(error)
  })
}

async function compare(deps: CommandDeps, request: Request<'diff'>): Promise<Outcome<DiffOutput>> {
  const { runs, trustTimes, volume, limit, list } = request
  const [first, second, ...others] = runs
  if (first === undefined || second === undefined || others.length > 0) {
    throw new AgentError('USAGE', `${counted(runs.length, 'run is', 'runs are')} named`, {
      hint: 'Name two: snapstream-fleet diff RUN RUN.',
    })
  }
  const reader: StoreDeps = { ...deps, store: (await deps.openVault()).vault.store }
  const [before, after] = await findBoth(reader, first, second)
  const openOne = (runKey: RunKey) => openRunAt(reader, runKey, trustTimes)
  const [old, young] = [await openOne(before), await openOne(after)]
  const chosen = [old, young].map(({ manifest }) =>
    volume.length === 0 ? manifest.volumes : chooseVolumes(manifest, volume),
  )
  const { pairs, notCompared } = pairVolumes(old.manifest, young.manifest, chosen[0] ?? [], chosen[1] ?? [])
  await using lines = await openList(list)
  const all = tallyChanges(limit)
  const volumes: DiffOutput['volumes'][number][] = []
  for (const pair of pairs) {
    volumes.push({
      mountPoint: pair.after.mountPoint,
      ...(await compareVolume(reader, [old, young], pair, all, lines)),
    })
  }
  const output = {
    ...{ before: keyOf(before), after: keyOf(after), totals: { ...all.counts }, volumes, notCompared },
    largest: all.largest(),
    ...(list !== undefined && { list }),
  }
  return { ...formatDiff(output), json: output }
}

function keyOf({ host, class: className, run }: RunKey): DiffOutput['before'] {
  return { host, class: className, run }
}

async function compareVolume(
  deps: StoreDeps,
  [old, young]: readonly [OpenRun, OpenRun],
  { before, after }: VolumePair,
  all: ReturnType<typeof tallyChanges>,
  lines: ChangeList,
): Promise<Counts> {
  const mine = tallyChanges(0)
  await using sortedOld = await sortVolume(deps, old, before)
  await using sortedYoung = await sortVolume(deps, young, after)
  const onSame = () => {
    mine.addSame()
    all.addSame()
  }
  for await (const change of findChanges(sortedOld.entries(), sortedYoung.entries(), onSame)) {
    deps.signal.throwIfAborted()
    const reported = reportChange(after.mountPoint, change)
    mine.add(reported)
    all.add(reported)
    await lines.add(reported)
  }
  await lines.flush()
  return { ...mine.counts }
}

async function sortVolume(deps: StoreDeps, { store }: OpenRun, { archive }: VolumeBackup) {
  await store.head(archive.catalog.key, deps.signal) // refuses one that was put there since
  return sortEntries(readEntries({ ...deps, store }, archive))
}

/** Both runs, whosever they are: names of runs are no host's alone by chance, and two hosts that share one are told. */
async function findBoth({ store, signal }: StoreDeps, first: string, second: string): Promise<[RunKey, RunKey]> {
  const found = new Map<string, RunKey[]>([first, second].map((run) => [run, []]))
  for await (const { key } of store.list(`${Prefix.manifests}/`, signal)) {
    const runKey = parseManifestKey(key)
    if (runKey) found.get(runKey.run)?.push(runKey)
  }
  return [theOne(first, found.get(first)), theOne(second, found.get(second))]
}

function theOne(run: string, found: readonly RunKey[] = []): RunKey {
  const [one, ...others] = found
  if (!one) {
    throw new AgentError('UNKNOWN_RUN', `there is no run ${run}`, {
      hint: '"snapstream-fleet host HOST" shows the runs of a host.',
    })
  }
  if (others.length === 0) return one
  const places = found.map(({ host, class: className }) => `${host} (${className})`).join(', ')
  throw new AgentError('UNKNOWN_RUN', `several runs are called ${run}: of ${places}`, {
    hint: 'Names of runs have random characters: one of them was copied, or forged. "snapstream list" with --host and --class shows each, and when S3 got it.',
  })
}

interface ChangeList extends AsyncDisposable {
  add(change: ReportedChange): Promise<void>
  flush(): Promise<void>
}

const LINES_BYTES = 256 * 1024

/** @throws AgentError TARGET_UNFIT where the file is there already, or cannot be made */
async function openList(path: string | undefined): Promise<ChangeList> {
  if (path === undefined) {
    const nothing = () => Promise.resolve()
    return { add: nothing, flush: nothing, [Symbol.asyncDispose]: nothing }
  }
  const refuse = (cause: unknown): never => {
    throw new AgentError('TARGET_UNFIT', `the list cannot be written: ${String(cause)}`, {
      hint: 'Name a new file, in a directory that you may write to, with --list.',
      cause,
    })
  }
  const file = await open(path, 'wx', 0o600).catch(refuse)
  let waiting = ''
  const flush = async () => {
    const text = waiting
    waiting = ''
    if (text !== '') await file.writeFile(text).catch(refuse)
  }
  return {
    async add(change) {
      waiting += `${printableJson(change)}\n`
      if (waiting.length >= LINES_BYTES) await flush()
    },
    flush,
    [Symbol.asyncDispose]: () => file.close(),
  }
}
