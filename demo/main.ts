/**
 * Shows, on this machine and in a few minutes, that Snapstream backs up a host on LVM, and one without, each of one
 * moment and while it is written to, with nothing lost: it compares what comes back, file by file, with the demo's own
 * snapshots of that moment.
 *
 * Exits with 1 if anything differs, anything is left behind, or anything goes wrong.
 */
import { ExitStatus } from '../agent/contract'
import type { Manifest } from '../agent/run/manifest'
import { startRadosgw, type RunningServer } from '../test/servers/index'
import { compareTrees } from '../test/support/tree/compare'
import { bundleTrees, type GuestTrees } from '../test/support/tree/guest-trees'
import { backUp, findLeftovers, getManifest, verify } from './agent'
import { makeBucket, restoreCommand, runShell, type Bucket } from './bucket'
import { bootEbsHost } from './ebs-host'
import { fillVolumes } from './fill'
import { lookAtFleet } from './fleet'
import { bundlePrograms, type GuestPrograms } from './guest-programs'
import type { BootHost, DemoHost, DemoVolume } from './host'
import { bootLvmHost } from './lvm-host'
import {
  reportBackup,
  reportBucket,
  reportComparison,
  reportFleet,
  reportRestore,
  type BackupReport,
  type Comparison,
} from './report'
import { secondsSince, terminalScreen, type Screen } from './screen'
import { startWriters } from './writers'

async function demo(screen: Screen, interrupted: AbortSignal): Promise<boolean> {
  const start = performance.now()
  await using trees = await bundleTrees()
  await using programs = await bundlePrograms()
  await using server = await screen.step('started an S3 server (Ceph)', startServer)
  const bucket = await makeBucket(server)
  const shown: Shown[] = []
  for (const boot of [bootLvmHost, bootEbsHost] satisfies BootHost[]) {
    interrupted.throwIfAborted()
    await using host = await screen.step('started a machine', () => boot(server))
    // Whatever it is doing then fails, and all is taken down in order.
    const stop = () => void host.guest.powerCut()
    interrupted.addEventListener('abort', stop)
    shown.push(await show(screen, host, bucket, { trees, programs }))
    interrupted.removeEventListener('abort', stop)
  }
  const hosts = shown.map(({ report }) => report.manifest.host)
  const fleet = await screen.step('looked at the fleet', () => lookAtFleet(server, bucket, hosts))
  for (const { report } of shown) reportBackup(screen, report)
  reportBucket(screen, await bucket.listObjects())
  const comparisons = shown.flatMap((host) => host.comparisons)
  reportRestore(screen, comparisons)
  const leftovers = shown.flatMap((host) => host.leftovers)
  reportFleet(screen, fleet)
  return reportComparison(screen, comparisons, leftovers, secondsSince(start))
}

interface Tools {
  readonly trees: GuestTrees
  readonly programs: GuestPrograms
}

/** What was seen of a host. */
interface Shown {
  readonly report: BackupReport
  readonly comparisons: readonly Comparison[]
  readonly leftovers: readonly string[]
}

/** Backs a host up while programs write to it, and restores it by hand. */
async function show(screen: Screen, host: DemoHost, bucket: Bucket, { trees, programs }: Tools): Promise<Shown> {
  const { title } = host
  const step = <T>(what: string, work: () => Promise<T>) => screen.step(`the host ${title}: ${what}`, work)
  const kinds = host.volumes.map(({ filesystem, mountPoint }) => `${mountPoint} (${filesystem})`)
  await step(`made ${kinds.join(', ')}`, () => host.makeVolumes())
  await step('filled them', () => fillVolumes(host, trees, programs))
  const writers = await step('started programs that keep changing them', () => startWriters(host, programs))

  const backup = await step('backed up', () => backUp(host, bucket))
  const changesSinceSnapshot = await writers.stop()
  const manifest = await getManifest(host, bucket)
  const verification = await step('verified: everything read back', () => verify(host, bucket, manifest.run))

  const comparisons: Comparison[] = []
  for (const volume of host.volumes) {
    const work = () => restoreAndCompare(host, bucket, trees, manifest, volume)
    comparisons.push(await step(`restored ${volume.mountPoint} by hand, and compared`, work))
  }
  const report = { title, backup, verification, manifest, changesSinceSnapshot }
  return { report, comparisons, leftovers: await findLeftovers(host, bucket) }
}

async function startServer(): Promise<RunningServer & AsyncDisposable> {
  const server = await startRadosgw()
  return { ...server, [Symbol.asyncDispose]: () => server.stop() }
}

/** Restores one volume with a plain GET, zstd and tar onto an empty filesystem, and compares with the moment. */
async function restoreAndCompare(
  host: DemoHost,
  bucket: Bucket,
  trees: GuestTrees,
  manifest: Manifest,
  volume: DemoVolume,
): Promise<Comparison> {
  const { guest } = host
  const backup = manifest.volumes.find(({ mountPoint }) => mountPoint === volume.mountPoint)
  if (!backup) throw new Error(`the manifest does not have ${volume.mountPoint}`)
  const target = await host.makeRestoreTarget(volume)
  const keys = backup.archive.segments.map(({ key }) => key)
  const command = restoreCommand(bucket, keys, target)
  await runShell(guest, bucket, command)

  const truth = await host.mountTruth(volume)
  const expected = await trees.walk(guest, truth)
  const differences = compareTrees(expected, await trees.walk(guest, target))
  if (!volume.live) return { volume, command, expected, differences, changedSince: 0 }
  const live = await trees.walk(guest, `${volume.mountPoint}/live`)
  const changedSince = compareTrees(await trees.walk(guest, `${truth}/live`), live).length
  return { volume, command, expected, differences, changedSince }
}

async function main(): Promise<void> {
  const screen = terminalScreen()
  const controller = new AbortController()
  // Not once: a Ctrl-C comes from the terminal and from npm, and the second would end this before it took all down.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => controller.abort())
  try {
    process.exitCode = (await demo(screen, controller.signal)) ? ExitStatus.ok : ExitStatus.failed
  } catch (error) {
    screen.bad(controller.signal.aborted ? 'interrupted; everything is taken down' : describe(error))
    process.exitCode = controller.signal.aborted ? ExitStatus.interrupted : ExitStatus.failed
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

void main()
