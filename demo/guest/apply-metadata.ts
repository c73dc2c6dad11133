/**
 * Dresses a tree of plain copies as a host has it: a SELinux label on everything, ACLs, capabilities and attributes on
 * some.
 *
 * Usage: node apply-metadata.cjs DIRECTORY
 */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { acl, Capability, capabilities, defaultAcl, label } from '../../test/support/tree/literal'
import { writeXattrs, type Xattrs } from '../../test/support/tree/xattrs'

/** The first that a path starts with counts. */
const TYPES = [
  ['etc', 'etc_t'],
  ['usr/bin', 'bin_t'],
  ['usr/sbin', 'bin_t'],
  ['usr/lib', 'lib_t'],
  ['', 'usr_t'],
] as const

/** One in so many gets an ACL, and so on. */
const EVERY = { fileAcl: 20, directoryAcl: 5, capability: 100, attribute: 30 } as const

const DIRECTORY_ACL = {
  ...acl('user::rwx,user:1001:r-x,group::r-x,mask::r-x,other::r-x'),
  ...defaultAcl('user::rwx,group::r-x,group:100:rwx,mask::rwx,other::---'),
}

const [root = ''] = process.argv.slice(2)
const device = lstatSync(root).dev
const dressed = new Map<string, Xattrs>()
for (const [index, path] of walk('').sort().entries()) {
  const xattrs = Object.entries(attributesOf(path, index)).map(([name, value]) => [name, value.toString('base64')])
  dressed.set(path, Object.fromEntries(xattrs) as Xattrs)
}
writeXattrs(root, dressed)

function attributesOf(path: string, index: number): Readonly<Record<string, Buffer>> {
  const stats = lstatSync(join(root, path))
  const [, type] = TYPES.find(([start]) => path.startsWith(start))!
  const every = (count: number) => index % count === 0
  return {
    ...label(`system_u:object_r:${type}:s0`),
    ...(stats.isDirectory() && every(EVERY.directoryAcl) && DIRECTORY_ACL),
    ...(stats.isFile() && every(EVERY.fileAcl) && acl('user::rwx,user:1001:r--,group::r-x,mask::r-x,other::r--')),
    ...(stats.isFile() && every(EVERY.capability) && capabilities(Capability.netBindService)),
    ...(stats.isFile() && every(EVERY.attribute) && { 'user.origin': Buffer.from(path) }),
  }
}

/** Not by Node's own recursion, which follows links to directories out of the tree; and what is mounted in it is not of it. */
function walk(directory: string): string[] {
  return readdirSync(join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (!entry.isDirectory()) return [path]
    return lstatSync(join(root, path)).dev === device ? [path, ...walk(path)] : []
  })
}
