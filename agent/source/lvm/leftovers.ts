/** What a killed run left behind, found by the marks that everything of ours bears. */
import { MOUNT_ROOT, RUN_SECONDS_MAX, SNAPSHOT_NAME_PREFIX, SNAPSHOT_TAG, UPLOAD_TAG_PREFIX } from '../../contract'
import type { HostStorage } from './reports'

export interface SnapshotRef {
  readonly group: string
  readonly name: string
}

/** An unfinished multipart upload. */
interface Upload {
  readonly key: string
  readonly uploadId: string
}

export interface Leftovers {
  /** Mount points, in the order to unmount them. */
  readonly mounts: readonly string[]
  readonly snapshots: readonly SnapshotRef[]
  readonly uploads: readonly Upload[]
}

/** Only what bears our tag and our name, and mounts under our directory: nobody else's snapshot is ever touched. */
export function findLeftovers({ logicalVolumes, mounts }: Pick<HostStorage, 'logicalVolumes' | 'mounts'>): Leftovers {
  const ours = logicalVolumes.filter(
    ({ name, tags }) => name.startsWith(SNAPSHOT_NAME_PREFIX) && tags.includes(SNAPSHOT_TAG),
  )
  return {
    mounts: mounts
      .map(({ target }) => target)
      .filter((target) => target.startsWith(`${MOUNT_ROOT}/`))
      .sort((a, b) => b.length - a.length),
    snapshots: ours.map(({ group, name }) => ({ group, name })),
    uploads: ours.flatMap(({ tags }) => tags).flatMap((tag) => parseUploadTag(tag) ?? []),
  }
}

/**
 * The tag that makes a snapshot remember an unfinished upload.
 *
 * LVM allows letters, digits and `_+.-/=!:&#` in a tag, at most 1,024 characters (man lvm, "TAGS"): everything else
 * is written as URLs do it, with `#` for `%`.
 */
export function formatUploadTag({ key, uploadId }: Upload): string {
  return `${UPLOAD_TAG_PREFIX}${escape(uploadId)}:${escape(key)}`
}

/** Undefined for every other tag. */
export function parseUploadTag(tag: string): Upload | undefined {
  if (!tag.startsWith(UPLOAD_TAG_PREFIX)) return undefined
  const [uploadId, key, ...rest] = tag.slice(UPLOAD_TAG_PREFIX.length).split(':').map(unescape)
  return uploadId && key && rest.length === 0 ? { key, uploadId } : undefined
}

function escape(text: string): string {
  const url = encodeURIComponent(text).replace(/[!'()*~]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`)
  // Slashes are allowed, and a key has many.
  return url.replaceAll('%2F', '/').replaceAll('%', '#')
}

/** Empty where it is not what `escape` made. */
function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('#', '%'))
  } catch {
    return ''
  }
}

/**
 * Those that no run can still be at work on. Where the server does not say when one was begun, it is not.
 *
 * @param now - of the server's clock, in milliseconds
 */
export function selectAbandoned<Listed extends { readonly initiated?: Date }>(
  uploads: readonly Listed[],
  now: number,
): Listed[] {
  return uploads.filter(({ initiated }) => initiated && now - initiated.getTime() > RUN_SECONDS_MAX * 1000)
}
