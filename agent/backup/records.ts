/** What became of each volume of a run, and how the manifest tells it. */
import { AgentError, unwrapFailure } from '../errors'
import type { TaggedDirectories } from '../tar/tags'
import type { Argv } from '../context'
import type { Archive, RemovedNames } from '../archive/archive'
import type { Base, VolumeBackup, VolumeFailure } from '../run/manifest'
import type { SourceRecord } from '../source/record'
import type { SnapshotPlan } from '../source/source'
import type { VerifyResult } from './verify-after-upload.io'
import type { Warnings } from '../tar/messages'

/** A volume's archive, how far it was proved, and what was compared of it where that was only a part. */
export interface Archived extends VerifyResult {
  /** What its snapshot was. */
  readonly source: SourceRecord
  /** When it was taken, where that was not with all others. */
  readonly takenAt?: Date
  readonly archive: Archive
  /** Where the archive is differential: what it is to be read with, and the names that are gone. */
  readonly base?: Base
  readonly removed?: RemovedNames
  /** Why the archive is full where it might have been differential. */
  readonly fullBecause?: string
  /** What made the tar stream, where that was not the plan's command. */
  readonly tarCommand?: Argv
  /** The server has confirmed sizes alone. */
  readonly unconfirmed?: true
  /** What of the volume is not in the archive as it was. */
  readonly warnings?: Warnings
  /** Directories whose contents were left out, as they ask for it. */
  readonly leftOut?: TaggedDirectories
  readonly longPaths?: number
  readonly recentEntries?: number
}

/** What became of a volume: its archive, or why there is none. */
export interface Attempt {
  readonly plan: SnapshotPlan
  readonly outcome: Archived | { readonly failure: unknown }
  /** How long it took to archive and to prove. */
  readonly seconds: number
  /** From before the first snapshot until this one was given back. */
  readonly livedSeconds: number
  /** Why something of it could not be removed from the host. The archive is good all the same. */
  readonly leftBehind?: unknown
}

export function describeBackup({ plan, seconds, livedSeconds, outcome }: Attempt, takenAt: Date): VolumeBackup[] {
  if (!('archive' in outcome)) return []
  const { origin } = plan
  const {
    source,
    archive,
    base,
    removed,
    fullBecause,
    sampled,
    unconfirmed,
    warnings,
    leftOut,
    longPaths,
    recentEntries,
  } = outcome
  return [
    {
      volume: origin.volume,
      source,
      level: base ? 'differential' : 'full',
      ...(base && { base }),
      ...(removed && { removed }),
      ...(fullBecause !== undefined && { fullBecause }),
      device: origin.device,
      mountPoint: origin.mountPoint,
      filesystem: origin.filesystem,
      uuid: origin.uuid,
      label: origin.label,
      mountOptions: origin.mountOptions,
      sizeBytes: origin.sizeBytes,
      usedBytes: origin.usedBytes,
      snapshot: { takenAt: (outcome.takenAt ?? takenAt).toISOString(), livedSeconds },
      tarCommand: outcome.tarCommand ?? plan.tar,
      archive,
      ...(sampled && { sampled }),
      ...(unconfirmed && { unconfirmed }),
      ...(warnings && { warnings }),
      ...(leftOut && { leftOut }),
      ...(longPaths !== undefined && { longPaths }),
      ...(recentEntries !== undefined && { recentEntries }),
      archiveSeconds: seconds,
    },
  ]
}

export function describeFailure({ plan, outcome }: Attempt): VolumeFailure[] {
  if (!('failure' in outcome)) return []
  const { first } = unwrapFailure(outcome.failure)
  const known = first instanceof AgentError ? first : unforeseen(first)
  const { volume, mountPoint } = plan.origin
  return [{ volume, mountPoint, code: known.code, message: known.message, hint: known.hint }]
}

function unforeseen(cause: unknown): AgentError {
  return new AgentError('ARCHIVE_FAILED', cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause), {
    hint: 'This is a defect of the agent: report it.',
    cause,
  })
}
