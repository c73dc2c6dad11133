/** Which filesystems of a host are backed up, and why the others are not. */
import { AgentError } from '../errors'
import { findNearest } from '../lib/nearest'
import { isAllowed, namedSource } from './choice'
import { findFilesystems, type MountedFilesystem } from './filesystems'
import type { SourceKind } from './record'
import type { HostSurvey, Survey, Volume } from './source'

/** A filesystem that is not backed up. */
export interface SkippedFilesystem {
  readonly mountPoint: string
  readonly device: string
  readonly filesystem: string
  readonly reason: string
}

/** A filesystem that would be backed up, but is in no state for it. */
export interface UnfitFilesystem extends SkippedFilesystem {
  /** What to look at, as the beginning of a sentence. */
  readonly remedy: string
}

/** Which source takes the snapshot of a volume. */
export interface ChosenSource {
  readonly mountPoint: string
  readonly source: SourceKind
  /** Why: `not on LVM`. */
  readonly reason: string
}

export interface Selection {
  /** By mount point, so that a parent comes before what is mounted in it. */
  readonly volumes: readonly Volume[]
  /** Of each of them. */
  readonly sources: readonly ChosenSource[]
  /** A source could take their snapshots, but they are not backed up. */
  readonly skipped: readonly SkippedFilesystem[]
  /** On this host's disks, but no source can take a snapshot. Network and memory filesystems are not listed. */
  readonly unsupported: readonly SkippedFilesystem[]
  /** Chosen, but in no state to be snapshotted now: a backup without them is incomplete. */
  readonly unfit: readonly UnfitFilesystem[]
}

export interface VolumeFilter {
  /** Mount points; none given means all volumes. */
  readonly volumes?: readonly string[] | undefined
  readonly excludeVolumes?: readonly string[] | undefined
}

/**
 * Selects every filesystem that one of the sources can take a snapshot of, or those that were chosen.
 *
 * @throws AgentError NO_VOLUME where nothing is left to back up; UNKNOWN_VOLUME where nothing is mounted at a chosen
 * mount point; VOLUME_UNSUPPORTED where that cannot be backed up
 */
export function selectVolumes(host: HostSurvey, filter: VolumeFilter = {}): Selection {
  const findings = findFilesystems(host.filesystems).map((filesystem) => judge(host, filesystem))
  const volumes = findings.flatMap((finding) => ('volume' in finding ? [finding] : []))
  const refused = findings.flatMap((finding) => ('reason' in finding ? [finding] : []))
  const includes = (mountPoints: readonly string[] | undefined, { targets }: { targets: readonly string[] }) =>
    mountPoints?.some((mountPoint) => targets.includes(mountPoint)) ?? false

  const named = filter.volumes?.length ? filter.volumes : undefined
  const isChosen = (found: Refused) =>
    !includes(filter.excludeVolumes, found) && (named === undefined || includes(named, found))
  for (const mountPoint of named ?? []) assertBackedUp(mountPoint, volumes, refused)
  for (const mountPoint of host.choice.named.keys()) assertKnown(mountPoint, [...volumes, ...refused])
  for (const mountPoint of filter.excludeVolumes ?? []) assertKnown(mountPoint, [...volumes, ...refused])

  const reasonOf = (found: Found): string | undefined => {
    if (includes(filter.excludeVolumes, found)) return 'excluded by --exclude-volumes'
    return named && !includes(named, found) ? 'not among --volumes' : undefined
  }
  const chosen = volumes
    .filter((found) => reasonOf(found) === undefined)
    .sort((a, b) => (a.volume.mountPoint < b.volume.mountPoint ? -1 : 1))
  const selection: Selection = {
    volumes: chosen.map(({ volume }) => volume),
    sources: chosen.map(({ volume: { mountPoint, kind }, why }) => ({ mountPoint, source: kind, reason: why })),
    skipped: [
      ...refused
        .filter((found) => found.kind === 'skipped' || (found.kind === 'unfit' && !isChosen(found)))
        .map(skipped),
      ...volumes.flatMap((found) => skippedUnless(reasonOf(found), found)),
    ],
    unsupported: refused.filter(({ kind }) => kind === 'unsupported').map(skipped),
    unfit: refused
      .filter((found) => found.kind === 'unfit' && isChosen(found))
      .map((found) => ({ ...skipped(found), remedy: found.remedy })),
  }
  if (selection.volumes.length === 0) throw noVolume(host, selection)
  return selection
}

interface Found {
  readonly volume: Volume
  /** Why it is that source's. */
  readonly why: string
  readonly targets: readonly string[]
}

interface Refused extends UnfitFilesystem {
  readonly targets: readonly string[]
  readonly kind: 'skipped' | 'unsupported' | 'unfit'
}

/** The first source that claims a filesystem has it. */
function judge(host: HostSurvey, found: MountedFilesystem): Found | Refused {
  const { mount, targets } = found
  const refuse = (kind: Refused['kind'], reason: string, remedy = ''): Refused => ({
    ...{ mountPoint: mount.target, device: mount.source, filesystem: mount.filesystem },
    ...{ reason, remedy, targets, kind },
  })
  const surveys = host.surveys.filter(({ kind }) => isAllowed(host.choice, kind, found))
  for (const [index, survey] of surveys.entries()) {
    const claim = survey.claim(found)
    if (!claim) continue
    if ('volume' in claim) return { volume: claim.volume, why: whyOf(host, surveys.slice(0, index), found), targets }
    return 'unfit' in claim ? refuse('unfit', claim.unfit, claim.remedy) : refuse('skipped', claim.skipped)
  }
  const reason = surveys.map((survey) => survey.absence(found)).join(', ')
  const named = namedSource(host.choice, found)
  if (named === undefined) return refuse('unsupported', reason)
  // Somebody counts on it: that it is not there must not pass for a filesystem that nobody can back up.
  return refuse('unfit', `--source wants it from ${named}: ${reason}`, 'Give it another source, or none')
}

/** @param before - sources that would have been preferred */
function whyOf({ surveys, choice }: HostSurvey, before: readonly Survey[], found: MountedFilesystem): string {
  if (before.length > 0) return before.map((survey) => survey.absence(found)).join(', ')
  return surveys.every(({ kind }) => isAllowed(choice, kind, found)) ? 'the best there is' : 'chosen with --source'
}

function skipped({ mountPoint, device, filesystem, reason }: SkippedFilesystem): SkippedFilesystem {
  return { mountPoint, device, filesystem, reason }
}

function skippedUnless(reason: string | undefined, { volume }: Found): SkippedFilesystem[] {
  return reason === undefined ? [] : [skipped({ ...volume, reason })]
}

function assertBackedUp(mountPoint: string, volumes: readonly Found[], refused: readonly Refused[]): void {
  if (volumes.some(({ targets }) => targets.includes(mountPoint))) return
  const because = refused.find(({ targets }) => targets.includes(mountPoint))
  if (because?.kind === 'unfit') return // a failure of its own, not of the others
  if (!because) assertKnown(mountPoint, volumes)
  else
    throw new AgentError('VOLUME_UNSUPPORTED', `${mountPoint} cannot be backed up: ${because.reason}`, {
      hint: 'Leave it out of --volumes.',
    })
}

function assertKnown(mountPoint: string, filesystems: readonly { readonly targets: readonly string[] }[]): void {
  const known = filesystems.flatMap(({ targets }) => targets)
  if (known.includes(mountPoint)) return
  const nearest = findNearest(mountPoint, known)
  const holder = known
    .filter((target) => mountPoint.startsWith(target.replace(/\/?$/, '/')))
    .sort((a, b) => b.length - a.length)[0]
  const hints = [
    ...(nearest === undefined ? [] : [`Did you mean ${nearest}?`]),
    ...(nearest !== undefined || holder === undefined ? [] : [`It is a directory of the volume at ${holder}.`]),
    `There are: ${known.toSorted().join(', ')}.`,
  ]
  throw new AgentError('UNKNOWN_VOLUME', `no volume is mounted at ${mountPoint}`, { hint: hints.join(' ') })
}

function noVolume({ surveys }: HostSurvey, { skipped, unsupported, unfit }: Selection): AgentError {
  const others = [...unfit, ...skipped, ...unsupported].map(({ mountPoint, reason }) => `${mountPoint} (${reason})`)
  return new AgentError('NO_VOLUME', 'there is no volume to back up', {
    hint:
      `A volume is ${surveys.map(({ volumes }) => volumes).join(', or ')}. ` +
      (others.length > 0 ? `Not backed up are: ${others.join(', ')}.` : 'No other filesystem is on a disk either.'),
  })
}
