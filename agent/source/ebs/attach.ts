/** Names under which volumes are attached, and what EC2 means where one does not come. */
import type { EbsSnapshot } from '../../ec2'
import { AgentError } from '../../errors'
import { ec2ErrorCode } from './ec2-errors'

/** What EC2 recommends for data volumes, then others that it takes (EC2 User Guide, "Device names for volumes"). */
const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
const NAMES = [
  ...Array.from('fghijklmnop', (letter) => `/dev/sd${letter}`),
  ...Array.from('bc', (first) => Array.from(LETTERS, (second) => `/dev/xvd${first}${second}`)).flat(),
]

/** Those that are free as far as is known. `/dev/sdf` and `/dev/xvdf` are one. */
export function deviceNames(taken: readonly string[]): string[] {
  const isSame = (a: string, b: string) => a.replace('/dev/xvd', '/dev/sd') === b.replace('/dev/xvd', '/dev/sd')
  return NAMES.filter((name) => !taken.some((other) => isSame(name, other)))
}

/** Somebody else took the name since EC2 said that it is free, or EC2 does not take it here. */
export function isTaken(error: unknown): boolean {
  return ec2ErrorCode(error) === 'InvalidParameterValue' && /already in use|device name/.test((error as Error).message)
}

export function keyHint(): string {
  return (
    'So it ends where the disk is encrypted with a key that may not be used: give the role of this host kms:CreateGrant, ' +
    'kms:Decrypt, kms:DescribeKey, kms:GenerateDataKeyWithoutPlaintext and kms:ReEncrypt* on that key, and the key allow it.'
  )
}

export function snapshotFailure({ snapshotId, volumeId, state, detail }: EbsSnapshot): AgentError {
  return new AgentError('EC2_FAILED', `${snapshotId} of ${volumeId} is in state ${state}: ${detail}`, {
    hint: `The other disks may have failed with it. ${keyHint()}`,
  })
}
