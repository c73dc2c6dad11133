/**
 * Shows, on this machine and in a few minutes, that Snapstream backs up LVM volumes of one moment while they are
 * written to, with nothing lost: it compares what comes back, file by file, with the demo's own snapshots of that moment.
 *
 * Exits with 1 if anything differs, anything is left behind, or anything goes wrong.
 */
import { ExitStatus } from '../agent/contract'
import type { Manifest } from '../agent/run/manifest'
import type { Guest } from '../test/guest/guest'
import { startRadosgw, type RunningServer } from '../test/servers/index'
import { compareTrees } from '../test/support/tree/compare'
import { bundleTrees, type GuestTrees } from '../test/support/tree/guest-trees'
import { backUp, findLeftovers, getManifest, verify } from './agent'
import { makeBucket, restoreCommand, runShell, type Bucket } from './bucket'
import { fillVolumes } from './fill'
import { bundlePrograms } from './guest-programs'
import { bootMachine, makeRestoreTarget, makeVolumes, mountTruth, VOLUMES, type Volume } from './machine'
import { reportBackup, reportComparison, reportRestore, type Comparison } from './report'
import { secondsSince, terminalScreen, type Screen } from './screen'
import { startWriters } from './writers'

async function demo(screen: Screen, interrupted: AbortSignal): Promise<boolean> {
  const start = performance.now()
  await using trees = await bundleTrees()
  await using programs = await bundlePrograms()
  await using parts = await screen.step('started an S3 server (Ceph) and a machine with LVM', () => startParts())
  const { server, guest } = parts
  // Whatever the machine is doing then fails, and all is taken down in order.
  interrupted.addEventListener('abort', () => void guest.powerCut())
  interrupted.throwIfAborted()
  const bucket = await makeBucket(server)

  await screen.step('made volumes: thick and thin, ext4 and xfs, nested mounts, two disks', () => makeVolumes(guest))
  await screen.step('filled them', () => fillVolumes(guest, trees, programs))
  const writers = await screen.step('started programs that keep changing all of them', () =>
    startWriters(guest, programs),
  )

  const backup = await screen.step('backed up', () => backUp(guest, bucket))
  const changesSinceSnapshot = await writers.stop()
  const manifest = await getManifest(guest, bucket)
  const verification = await screen.step('verified: everything read back', () => verify(guest, bucket, manifest.run))

  const comparisons: Comparison[] = []
  for (const volume of VOLUMES) {
    const work = () => restoreAndCompare(guest, bucket, trees, manifest, volume)
    comparisons.push(await screen.step(`restored ${volume.mountPoint} by hand, and compared`, work))
  }
  const leftovers = await findLeftovers(guest, bucket)

  reportBackup(screen, { backup, verification, manifest, changesSinceSnapshot, objects: await bucket.listObjects() })
  reportRestore(screen, comparisons)
  return reportComparison(screen, comparisons, leftovers, secondsSince(start))
}

interface Parts extends AsyncDisposable {
  readonly server: RunningServer
  readonly guest: Guest
}

/** Both at once; neither is left running where the other fails. */
async function startParts(): Promise<Parts> {
  const [server, guest] = await Promise.allSettled([startRadosgw(), bootMachine()])
  const stop = async () => {
    for (const part of [server, guest]) if (part.status === 'fulfilled') await part.value.stop()
  }
  if (server.status === 'fulfilled' && guest.status === 'fulfilled') {
    return { server: server.value, guest: guest.value, [Symbol.asyncDispose]: stop }
  }
  await stop()
  throw [server, guest].find((part) => part.status === 'rejected')?.reason
}

/** Restores one volume with a plain GET, zstd and tar onto an empty filesystem, and compares with the moment. */
async function restoreAndCompare(
  guest: Guest,
  bucket: Bucket,
  trees: GuestTrees,
  manifest: Manifest,
  volume: Volume,
): Promise<Comparison> {
  const backup = manifest.volumes.find(({ mountPoint }) => mountPoint === volume.mountPoint)
  if (!backup) throw new Error(`the manifest does not have ${volume.mountPoint}`)
  const target = await makeRestoreTarget(guest, volume)
  const keys = backup.archive.segments.map(({ key }) => key)
  const command = restoreCommand(bucket, keys, target)
  await runShell(guest, bucket, command)

  const truth = await mountTruth(guest, volume)
  const expected = await trees.walk(guest, truth)
  const differences = compareTrees(expected, await trees.walk(guest, target))
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
