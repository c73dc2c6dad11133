import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import type { Extent } from './entry'
import type { DirectoryLiteral, Literal } from './literal'
import { decodeName, encodeName } from './names'
import { writeXattrs, type Xattrs } from './xattrs'

interface Placed {
  /** Relative to the root. */
  readonly path: string
  readonly file: Buffer
  readonly literal: Literal
}

/** Makes a tree in an existing directory. Needs root: for owners, devices, and attributes other than `user.*`. */
export async function buildTree(root: string, tree: DirectoryLiteral): Promise<void> {
  const placed = [...placeFiles(root, '.', tree)]
  const [links, files] = [placed.filter(isHardlink), placed.filter((one) => !isHardlink(one))]
  for (const one of files) await makeFile(one, root)
  for (const { file, literal } of links) linkSync(encodeName(`${root}/${literal.to}`), file)
  // A change of owner takes set-id bits and capabilities away, and an ACL is part of the mode: hence this order.
  for (const one of files) setOwnerAndMode(one)
  writeXattrs(
    root,
    new Map(files.flatMap(({ path, literal }) => (literal.xattrs ? [[path, encode(literal.xattrs)]] : []))),
  )
  // Whatever is made in a directory changes its time: the deepest last.
  for (const one of files.reverse()) setTime(one)
}

function* placeFiles(root: string, path: string, literal: Literal): Generator<Placed> {
  yield { path, file: encodeName(`${root}/${path}`), literal }
  if (literal.kind !== 'directory') return
  for (const [name, child] of Object.entries(literal.children)) {
    yield* placeFiles(root, path === '.' ? name : `${path}/${name}`, child)
  }
}

function isHardlink(placed: Placed): placed is Placed & { literal: Extract<Literal, { kind: 'hardlink' }> } {
  return placed.literal.kind === 'hardlink'
}

async function makeFile({ path, file, literal }: Placed, root: string): Promise<void> {
  switch (literal.kind) {
    case 'file':
      return writeFileSync(file, literal.content)
    case 'sparse':
      return writeSparse(file, literal.sizeBytes, literal.data)
    case 'directory':
      return path === '.' ? undefined : mkdirSync(file)
    case 'symlink':
      return symlinkSync(encodeName(literal.target), file)
    case 'socket':
      return await makeSocket(file, root)
    case 'fifo':
      return makeNode(file, 'p')
    case 'character':
      return makeNode(file, 'c', ...literal.device.map(String))
    case 'block':
      return makeNode(file, 'b', ...literal.device.map(String))
    case 'hardlink':
      return
  }
}

function writeSparse(file: Buffer, sizeBytes: number, data: readonly Extent[]): void {
  const descriptor = openSync(file, 'w')
  ftruncateSync(descriptor, sizeBytes)
  for (const [from, to] of data) writeSync(descriptor, Buffer.alloc(to - from, `data at ${from} `), 0, to - from, from)
  closeSync(descriptor)
}

/** Listening makes the socket and closing takes it away again, so it is made elsewhere in the tree and linked. */
async function makeSocket(file: Buffer, root: string): Promise<void> {
  const short = `${root}/.socket`
  const server = createServer().listen(short)
  await once(server, 'listening')
  linkSync(short, file)
  server.close()
  await once(server, 'close')
}

function makeNode(file: Buffer, ...type: readonly string[]): void {
  execFileSync('mknod', ['--', decodeName(file), ...type], { stdio: 'inherit' })
}

function setOwnerAndMode({ file, literal: { kind, uid, gid, mode } }: Placed): void {
  if (uid !== undefined || gid !== undefined) lchownSync(file, uid ?? 0, gid ?? 0)
  if (mode !== undefined && kind !== 'symlink') chmodSync(file, mode)
}

/** Node's utimes has doubles, too coarse for nanoseconds; and its command lines are UTF-8, hence xargs. */
function setTime({ file, literal: { mtime } }: Placed): void {
  if (mtime === undefined) return
  const input = Buffer.concat([file, Buffer.of(0)])
  execFileSync('xargs', ['-0', 'touch', '--no-dereference', '-m', `--date=@${mtime}`, '--'], {
    input,
    stdio: ['pipe', 'inherit', 'inherit'],
  })
}

function encode(xattrs: Readonly<Record<string, Buffer>>): Xattrs {
  return Object.fromEntries(Object.entries(xattrs).map(([name, value]) => [name, value.toString('base64')]))
}
