import { isDeepStrictEqual } from 'node:util'
import { DEFAULT_CLASS, ExitStatus, Prefix, verificationKey, type RunKey } from '../contract'
import { hasCode, isDataLoss } from '../errors'
import { findRun, readManifest, type ReadManifest } from '../run/runs'
import type { Deps, Argv } from '../context'
import { sourceChecker } from './source-check.io'
import { steadyClock } from '../lib/steady-clock.io'
import { checkObjects, checkStream } from './objects-and-stream.io'
import type { Archive, RemovedNames } from '../archive/archive'
import { checkBase, checkWithSource } from './base-check.io'
import type { Base, Manifest, VolumeBackup } from '../run/manifest'
import type { WithHost, VerifyRequest } from '../options/commands'
import { formatTime } from '../run/run-id'
import { findMisdating, TRUST_TIMES_HINT } from '../run/run-time'
import type { Warnings } from '../tar/messages'
import { collectFindings, formatVerification, type Verification, type VolumeCheck } from './report'
import { chooseVolumes } from '../run/volumes'
import type { Outcome, Told } from '../outcome'
import type { verifyOutput } from './output-schema'
import { VERIFY_HINTS } from '../archive/findings'

/** What `verifyVolume` has to know of a volume; a manifest's volumes have it. */
export interface VerifiableVolume {
  readonly volume: string
  readonly mountPoint: string
  readonly archive: Archive
  /** Of a differential archive. */
  readonly base?: Base | undefined
  readonly removed?: RemovedNames | undefined
  /** When its manifest was written: nothing of it may be younger. */
  readonly writtenAt?: Date
  /** What tar lost is on record, or will be: entries that the catalog does not describe are no news then. */
  readonly warnings?: VolumeBackup['warnings'] | 'to come'
}

/**
 * Checks the archives of a run in the bucket, and records what was found beside the run. What was found of a run as it
 * was before some of it was deleted is not recorded.
 *
 * That S3 has the run, or an object of it, from another time is a finding.
 *
 * @throws AgentError UNKNOWN_RUN, UNKNOWN_VOLUME, OBJECT_ARCHIVED with depth `stream`, and whatever prevents looking
 */
export async function verify(
  deps: Deps,
  request: WithHost<VerifyRequest>,
): Promise<Outcome<Told<typeof verifyOutput>>> {
  const now = steadyClock(deps.now) // a clock that is set meanwhile must not end a verification before it began
  const startedAt = now()
  const { manifest, checks } = await checkVolumes(deps, request)
  const verification: Verification = {
    verification: 1,
    run: manifest.run,
    class: manifest.class,
    host: manifest.host,
    depth: request.depth,
    startedAt: startedAt.toISOString(),
    finishedAt: now().toISOString(),
    ok: checks.every(isGood),
    ...(isSizesOnly(request, checks) && { sizesOnly: true }),
    volumes: checks,
  }
  // Recorded, it would say that the run is as it should be, and "list" would show it so.
  if (!request.includeDeleted) await recordVerification(deps, manifest, verification)
  return {
    status: verification.ok ? ExitStatus.ok : ExitStatus.failed,
    summary: formatVerification(verification),
    json: verification,
  }
}

/** What is wrong must not be the manifest as it happened to arrive: where anything is, that is read again. */
async function checkVolumes(deps: Deps, request: WithHost<VerifyRequest>) {
  const runKey = await findRunKey(deps, request)
  const read = await readManifest(deps, runKey)
  const checks = await checkAll(deps, request, read)
  if (checks.every(isGood)) return { ...read, checks }
  const again = await readManifest(deps, runKey)
  if (isDeepStrictEqual(again, read)) return { ...read, checks }
  deps.log.warn('the manifest arrived different when it was read again: verifying once more')
  return { ...again, checks: await checkAll(deps, request, again) }
}

async function checkAll(
  deps: Deps,
  { volume: names, depth, trustTimes }: WithHost<VerifyRequest>,
  { manifest, writtenAt }: ReadManifest,
): Promise<VolumeCheck[]> {
  const misdating = trustTimes ? undefined : findMisdating(manifest.run, writtenAt)
  const checks: VolumeCheck[] = []
  for (const volume of chooseVolumes(manifest, names)) {
    const check = await verifyVolume(deps, trustTimes ? volume : { ...volume, writtenAt }, depth)
    const otherBase = await findOtherBase(deps, manifest, volume)
    const found = [
      ...(misdating ? [{ volume: volume.volume, what: misdating.what, hint: TRUST_TIMES_HINT }] : []),
      ...(otherBase === undefined ? [] : [{ volume: volume.volume, what: otherBase, hint: VERIFY_HINTS.damaged }]),
    ]
    checks.push({ ...check, findings: [...found, ...check.findings] })
  }
  return checks
}

/**
 * What the base's own manifest says otherwise of it than that of the differential run; undefined where both agree. A base
 * needs no manifest to be read, and loses it before its archives.
 */
async function findOtherBase(deps: Deps, runKey: RunKey, { volume, base }: VolumeBackup): Promise<string | undefined> {
  if (!base) return undefined
  try {
    const { manifest } = await readManifest(deps, { ...runKey, run: base.run })
    const own = manifest.volumes.find((each) => each.volume === volume)
    if (own?.level === 'full' && isDeepStrictEqual(own.archive, base.archive)) return undefined
    return `the manifest of run ${base.run} has ${own ? 'another archive' : 'none'} in the place of its base`
  } catch (error) {
    if (hasCode(error, 'UNKNOWN_RUN')) return undefined
    if (isDataLoss(error)) return `its base's ${error.message}`
    throw error
  }
}

function isSizesOnly({ depth }: WithHost<VerifyRequest>, checks: readonly VolumeCheck[]): boolean {
  return depth === 'checksum' && checks.some(({ withoutChecksum }) => withoutChecksum > 0)
}

function isGood({ findings }: VolumeCheck): boolean {
  return findings.length === 0
}

/**
 * Checks one archive; of a differential one, its base too, and that both belong together. Without findings, everything that
 * the result counts is good.
 *
 * @param source - the command that makes the archive again from the snapshot that it was made from, to compare with
 * @param onWarnings - told of what that command could not read: of that, both sides may lack the same
 * @throws AgentError whatever prevents looking
 */
export async function verifyVolume(
  deps: Pick<Deps, 'host' | 'store' | 'signal' | 'log'>,
  stored: VerifiableVolume,
  depth: 'checksum' | 'stream',
  source?: Argv,
  onWarnings: (warnings: Warnings) => void = () => undefined,
): Promise<VolumeCheck> {
  const { volume, mountPoint, archive, base, writtenAt, warnings } = stored
  deps.log.info(`verifying ${mountPoint} (${volume})`)
  const findings = collectFindings(volume)
  const { report } = findings
  const objects = await checkObjects(deps, stored, report, writtenAt)
  await using checker = source && (await sourceChecker(deps, source, report))
  const read =
    depth === 'stream' ? await checkStream(deps, archive, report, base ? undefined : checker, mountPoint) : undefined
  if (read && read.undescribed > 0 && !warnings) {
    report(
      `${read.undescribed} entries can only be restored by tar, and the manifest does not say so`,
      VERIFY_HINTS.undescribed,
    )
  }
  if (read && base) {
    await checkBase(deps, { ...stored, base }, report)
    if (checker) await checkWithSource(deps, { ...stored, base }, checker, report)
    else await checkStream(deps, base.archive, report, undefined, mountPoint)
  }
  if (checker) onWarnings(checker.warnings())
  return {
    volume,
    mountPoint,
    ...(base && { base: base.run }),
    storedBytes: archive.storedBytes,
    ...objects,
    frames: read?.frames ?? 0,
    rawBytes: read?.rawBytes ?? 0,
    entries: read?.entries ?? 0,
    findings: findings.list(),
  }
}

/** Of any class; where these credentials may not list, as those of hosts may not, of the usual one. */
async function findRunKey(deps: Deps, request: WithHost<VerifyRequest>): Promise<RunKey> {
  try {
    return await findRun(deps, request)
  } catch (error) {
    if (request.class !== undefined || !hasCode(error, 'ACCESS_DENIED')) throw error
    return { host: request.host, run: request.run, class: DEFAULT_CLASS }
  }
}

/** Among what operators found; those who may not write there, as hosts may not, among what hosts found. */
async function recordVerification(deps: Deps, manifest: Manifest, verification: Verification): Promise<void> {
  const text = `${JSON.stringify(verification, null, 2)}\n`
  const time = formatTime(new Date(verification.finishedAt))
  for (const prefix of [Prefix.verdicts, Prefix.verifications] as const) {
    try {
      const options = { contentType: 'application/json' }
      await deps.store.put(verificationKey(prefix, manifest, time), text, deps.signal, options)
      return
    } catch (error) {
      if (!hasCode(error, 'ACCESS_DENIED')) throw error
    }
  }
  // Whoever may only read may verify all the same.
  const key = verificationKey(Prefix.verdicts, manifest, time)
  deps.log.warn(`the result was not recorded: these credentials may not write ${key}`)
}
