import { AgentError } from '../errors'
import type { Deps, Argv } from '../context'
import { checkSample } from '../verify/sample-check.io'
import type { SampleRecord, Verified } from '../run/manifest'
import type { BackupRequest } from '../options/commands'
import { formatSample, type Sample } from '../verify/sample'
import type { MountedSnapshot, SnapshotPlan } from '../source/source'
import type { Warnings } from '../tar/messages'
import { collectFindings, type Finding } from '../verify/report'
import { verifyVolume, type VerifiableVolume } from '../verify/verify.io'

/** How far an archive is read back. */
export interface VerifyPlan {
  readonly verify: BackupRequest['verify']
  /** What the archive was made of. */
  readonly mount: MountedSnapshot
  /** What alone is compared with the snapshot, where not everything is. */
  readonly sample: Sample | undefined
  /** An object of the archive of which the server confirmed no checksum, if there is one. */
  readonly unconfirmed: string | undefined
  /** Told of what tar could not read of the snapshot once more: of that, nothing was compared. */
  readonly onWarnings: (warnings: Warnings) => void
}

/** How far an archive was proved. */
export interface VerifyResult {
  readonly verified: Verified
  readonly sampled?: SampleRecord
}

/**
 * Reads an archive back as far as was asked for, while its snapshot is there. `checksum` needs no reading where the server
 * has confirmed the checksums of all objects; where it has not, everything is read back.
 *
 * @throws AgentError VERIFY_FAILED with the first of the findings
 */
export async function verifyAfterUpload(
  deps: Deps,
  plan: SnapshotPlan,
  stored: Pick<VerifiableVolume, 'archive' | 'base' | 'removed'>,
  { verify, mount, sample, unconfirmed, onWarnings }: VerifyPlan,
): Promise<VerifyResult> {
  if (sample && mount.tarListed) {
    const sampled = await verifySample(deps, plan, stored, mount.tarListed, sample, onWarnings)
    return { verified: unconfirmed === undefined ? 'checksum' : 'none', sampled }
  }
  if (verify === 'none' || (verify === 'checksum' && unconfirmed === undefined)) return { verified: verify }
  const { volume, mountPoint } = plan.origin
  if (verify === 'checksum') {
    deps.log.info(`${mountPoint}: the server confirms no checksum of ${unconfirmed}: reading the archive back instead`)
  }
  const source = verify === 'source' ? mount.tar : undefined
  assertNoFindings(
    (await verifyVolume(deps, { volume, mountPoint, ...stored, warnings: 'to come' }, 'stream', source, onWarnings))
      .findings,
  )
  return { verified: verify === 'source' ? 'source' : 'stream' }
}

async function verifySample(
  deps: Deps,
  { origin }: SnapshotPlan,
  stored: Pick<VerifiableVolume, 'archive' | 'base' | 'removed'>,
  tarListed: Argv,
  sample: Sample,
  onWarnings: VerifyPlan['onWarnings'],
): Promise<SampleRecord> {
  deps.log.info(`${origin.mountPoint}: comparing ${formatSample(sample)} of it with the snapshot`)
  const { report, list } = collectFindings(origin.volume)
  const read = await checkSample(deps, stored, tarListed, sample, report)
  const { entries, tooLong } = read
  onWarnings(read.warnings)
  assertNoFindings(list())
  if (tooLong > 0) {
    deps.log.warn(
      `${origin.mountPoint}: ${tooLong} entries of the sample have names too long to be compared individually; ` +
        '--verify source without --sample compares them',
    )
  }
  return { depth: 'source', ...sample, entries }
}

function assertNoFindings([finding, ...others]: readonly Finding[]): void {
  if (!finding) return
  const more = others.length > 0 ? `, and ${others.length} more` : ''
  throw new AgentError('VERIFY_FAILED', `the archive does not read back: ${finding.what}${more}`, {
    hint: finding.hint,
  })
}
