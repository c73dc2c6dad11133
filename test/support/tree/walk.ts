import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs'
import type { Entry, EntryKind } from './entry'
import { readExtents } from './extents'
import { decodeName } from './names'
import { readXattrs, type Xattrs } from './xattrs'

/** Read at once; one buffer serves all files, as fresh memory is slow in the guest. */
const CHUNK = Buffer.allocUnsafe(1024 * 1024)

/** Blocks of both ext4 and xfs as mkfs makes them. */
const BLOCK_BYTES = 4096n
/** `st_blocks` counts these. */
const SECTOR_BYTES = 512n
/** More attributes than fit into an inode take a block of their own, which `st_blocks` counts too. */
const XATTRS_IN_INODE_BYTES = 64

const KINDS: readonly (readonly [EntryKind, keyof BigIntStats])[] = [
  ['file', 'isFile'],
  ['directory', 'isDirectory'],
  ['symlink', 'isSymbolicLink'],
  ['fifo', 'isFIFO'],
  ['character', 'isCharacterDevice'],
  ['block', 'isBlockDevice'],
  ['socket', 'isSocket'],
]

/**
 * Everything below a directory, the directory first, in the order of the names' bytes. Reads every file whole.
 *
 * Synchronous on purpose: nothing else runs beside it, and each switch to a thread is dear in the guest.
 */
export function walkTree(root: string): Entry[] {
  const xattrs = readXattrs(root)
  const found = [...findFiles(Buffer.from(root))].map((file) => ({ ...file, xattrs: takeXattrs(xattrs, file.path) }))
  if (xattrs.size > 0) throw new Error(`attributes of unknown files: ${JSON.stringify([...xattrs.keys()])}`)
  const sparse = found.filter(mayHaveHoles)
  const extents = readExtents(sparse.map(({ file, stats }) => ({ file, sizeBytes: Number(stats.size) })))
  const data = new Map(sparse.map(({ path }, index) => [path, extents[index]]))

  const firstNames = new Map<string, string>()
  return found.map((file) => {
    const linkedTo = linkOf(file, firstNames)
    return {
      ...describeFile(file),
      ...(linkedTo !== undefined && { linkedTo }),
      ...(data.get(file.path) && { data: data.get(file.path)! }),
      ...(file.xattrs && { xattrs: file.xattrs }),
    }
  })
}

function takeXattrs(xattrs: Map<string, Xattrs>, path: string): Xattrs | undefined {
  const taken = xattrs.get(path)
  xattrs.delete(path)
  return taken
}

interface Found {
  readonly file: Buffer
  readonly path: string
  readonly stats: BigIntStats
  readonly xattrs?: Xattrs | undefined
}

function* findFiles(file: Buffer, path = '.'): Generator<Found> {
  const stats = lstatSync(file, { bigint: true })
  yield { file, path, stats }
  if (!stats.isDirectory()) return
  for (const name of readdirSync(file, { encoding: 'buffer' }).sort((a, b) => Buffer.compare(a, b))) {
    const decoded = decodeName(name)
    yield* findFiles(Buffer.concat([file, Buffer.from('/'), name]), path === '.' ? decoded : `${path}/${decoded}`)
  }
}

/** False only where the allocation proves that there is no hole. */
function mayHaveHoles({ stats, xattrs }: Found): boolean {
  if (!stats.isFile() || stats.size === 0n) return false
  const blocks = (stats.size + BLOCK_BYTES - 1n) / BLOCK_BYTES
  const attributes = Object.entries(xattrs ?? {}).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return stats.blocks * SECTOR_BYTES < blocks * BLOCK_BYTES || attributes > XATTRS_IN_INODE_BYTES
}

function describeFile({ file, path, stats }: Found): Entry {
  const kind = KINDS.find(([, test]) => (stats[test] as () => boolean).call(stats))?.[0]
  if (!kind) throw new Error(`${path} is of no known kind: mode ${stats.mode.toString(8)}`)
  return {
    path,
    kind,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: String(stats.mtimeNs),
    ...(kind !== 'directory' && { links: Number(stats.nlink) }),
    ...(kind === 'file' && { sizeBytes: Number(stats.size), sha256: hashFile(file) }),
    ...(kind === 'symlink' && { target: decodeName(readlinkSync(file, { encoding: 'buffer' })) }),
    ...((kind === 'character' || kind === 'block') && { device: splitDevice(stats.rdev) }),
  }
}

/** The first name of the file that this one names too; undefined if this is the first. */
function linkOf({ path, stats }: Found, firstNames: Map<string, string>): string | undefined {
  if (stats.nlink === 1n || stats.isDirectory()) return undefined
  const inode = `${stats.dev}:${stats.ino}`
  const first = firstNames.get(inode)
  if (first === undefined) firstNames.set(inode, path)
  return first
}

function hashFile(file: Buffer): string {
  const hash = createHash('sha256')
  const descriptor = openSync(file, 'r')
  try {
    for (let bytes; (bytes = readSync(descriptor, CHUNK)) > 0;) hash.update(CHUNK.subarray(0, bytes))
  } finally {
    closeSync(descriptor)
  }
  return hash.digest('hex')
}

/** As glibc's gnu_dev_major and gnu_dev_minor. */
function splitDevice(device: bigint): readonly [major: number, minor: number] {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn)
  return [Number(major), Number(minor & 0xffffffffn)]
}
