/** Trees as literals: `directory({ etc: directory({ hosts: 'x' }), link: symlink('etc/hosts') })`. */
import type { Extent } from './entry'

/** What every kind of file has; what is left out is as the system makes it. */
export interface Attributes {
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
  /** Seconds since the epoch with up to nine decimals, as `touch --date=@` takes them. */
  readonly mtime?: string
  readonly xattrs?: Readonly<Record<string, Buffer>>
}

export type Literal = Attributes &
  (
    | { readonly kind: 'file'; readonly content: Buffer }
    | { readonly kind: 'sparse'; readonly sizeBytes: number; readonly data: readonly Extent[] }
    | { readonly kind: 'directory'; readonly children: Readonly<Record<string, Literal>> }
    | { readonly kind: 'symlink'; readonly target: string }
    | { readonly kind: 'hardlink'; readonly to: string }
    | { readonly kind: 'fifo' }
    | { readonly kind: 'socket' }
    | { readonly kind: 'character' | 'block'; readonly device: readonly [major: number, minor: number] }
  )

export type DirectoryLiteral = Extract<Literal, { kind: 'directory' }>

/** Names may have bytes that are not UTF-8, see names.ts. A string is the content of a plain file. */
export function directory(children: Readonly<Record<string, Literal | string>>, attributes: Attributes = {}) {
  const literals = Object.entries(children).map(
    ([name, child]) => [name, typeof child === 'string' ? file(child) : child] as const,
  )
  return { kind: 'directory', children: Object.fromEntries(literals), ...attributes } satisfies Literal
}

export function file(content: string | Buffer, attributes: Attributes = {}): Literal {
  return { kind: 'file', content: Buffer.from(content), ...attributes }
}

/** A file of holes, with a pattern where `data` says. */
export function sparse(sizeBytes: number, data: readonly Extent[], attributes: Attributes = {}): Literal {
  return { kind: 'sparse', sizeBytes, data, ...attributes }
}

export function symlink(target: string, attributes: Attributes = {}): Literal {
  return { kind: 'symlink', target, ...attributes }
}

/** @param to - path in the tree; need not come first */
export function hardlink(to: string): Literal {
  return { kind: 'hardlink', to }
}

export function fifo(attributes: Attributes = {}): Literal {
  return { kind: 'fifo', ...attributes }
}

export function socket(): Literal {
  return { kind: 'socket' }
}

export function device(
  kind: 'character' | 'block',
  major: number,
  minor: number,
  attributes: Attributes = {},
): Literal {
  return { kind, device: [major, minor], ...attributes }
}

/** A label as libselinux writes it: with the NUL at its end. */
export function label(context: string): { readonly 'security.selinux': Buffer } {
  return { 'security.selinux': Buffer.from(`${context}\0`) }
}

/** Capability numbers, from linux/capability.h. */
export const Capability = { netBindService: 10, netRaw: 13, sysTime: 25 } as const

const CAPABILITY_REVISION_2 = 0x02000000
const CAPABILITY_EFFECTIVE = 1

/** File capabilities, permitted and effective, as the kernel keeps them (struct vfs_cap_data, revision 2). */
export function capabilities(...numbers: readonly number[]): { readonly 'security.capability': Buffer } {
  const value = Buffer.alloc(20)
  value.writeUInt32LE(CAPABILITY_REVISION_2 | CAPABILITY_EFFECTIVE)
  value.writeUInt32LE(
    numbers.reduce((bits, number) => bits | (1 << number), 0),
    4,
  )
  return { 'security.capability': value }
}

const ACL_VERSION = 2
const ACL_NO_ID = 0xffffffff
/** Named entries have an id and the next tag up. */
const ACL_TAGS = { user: 0x01, group: 0x04, mask: 0x10, other: 0x20 } as const

/**
 * An access ACL as the kernel keeps it (linux/posix_acl_xattr.h), from the text that `setfacl` takes with numeric ids:
 * `acl('user::rwx,user:1001:r-x,group::r-x,mask::r-x,other::---')`, in this order.
 */
export function acl(text: string): { readonly 'system.posix_acl_access': Buffer } {
  return { 'system.posix_acl_access': formatAcl(text) }
}

export function defaultAcl(text: string): { readonly 'system.posix_acl_default': Buffer } {
  return { 'system.posix_acl_default': formatAcl(text) }
}

function formatAcl(text: string): Buffer {
  const version = Buffer.alloc(4)
  version.writeUInt32LE(ACL_VERSION)
  const entries = text.split(',').map((entry) => {
    const [tag, id, rights] = entry.split(':') as [keyof typeof ACL_TAGS, string, string]
    const value = Buffer.alloc(8)
    value.writeUInt16LE(id === '' ? ACL_TAGS[tag] : ACL_TAGS[tag] * 2)
    value.writeUInt16LE(
      ['r', 'w', 'x'].reduce((bits, right) => bits * 2 + (rights.includes(right) ? 1 : 0), 0),
      2,
    )
    value.writeUInt32LE(id === '' ? ACL_NO_ID : Number(id), 4)
    return value
  })
  return Buffer.concat([version, ...entries])
}
