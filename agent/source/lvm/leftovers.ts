/** What a killed run left behind, found by the marks that everything of ours bears. */
import { SNAPSHOT_NAME_PREFIX, SNAPSHOT_TAG, UPLOAD_TAG_PREFIX } from '../../contract'
import type { UploadRef } from '../../context'
import type { LeftoverSnapshot } from '../source'
import type { LogicalVolume } from './reports'

export interface SnapshotRef {
  readonly group: string
  /** Of the snapshot. */
  readonly snapshot: string
}

export interface LvmLeftover extends LeftoverSnapshot, SnapshotRef {
  readonly kind: 'lvm'
}

/** Only what bears our tag and our name: nobody else's snapshot is ever touched. */
export function findLeftovers(logicalVolumes: readonly LogicalVolume[]): LvmLeftover[] {
  return logicalVolumes
    .filter(({ name, tags }) => name.startsWith(SNAPSHOT_NAME_PREFIX) && tags.includes(SNAPSHOT_TAG))
    .map(({ group, name: snapshot, tags }) => ({
      ...{ kind: 'lvm', name: `${group}/${snapshot}`, group, snapshot },
      uploads: tags.flatMap((tag) => parseUploadTag(tag) ?? []),
    }))
}

/**
 * The tag that makes a snapshot remember an unfinished upload.
 *
 * LVM allows letters, digits and `_+.-/=!:&#` in a tag, at most 1,024 characters (man lvm, "TAGS"): everything else
 * is written as URLs do it, with `#` for `%`.
 */
export function formatUploadTag({ key, uploadId }: UploadRef): string {
  return `${UPLOAD_TAG_PREFIX}${escape(uploadId)}:${escape(key)}`
}

/** Undefined for every other tag. */
export function parseUploadTag(tag: string): UploadRef | undefined {
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
