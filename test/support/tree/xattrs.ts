import { execFileSync } from 'node:child_process'
import { decodeName, encodeName } from './names'

/** Extended attributes of one file: base64 of the value by name. */
export type Xattrs = Readonly<Record<string, string>>

/** A tree of a million files with labels prints about this much. */
const OUTPUT_BYTES_MAX = 512 * 1024 * 1024

const FILE_LINE = '# file: '
/** `getfattr -e base64` marks its values so. */
const BASE64_MARK = '0s'

/**
 * The extended attributes of every file below a directory, by path as in `Entry.path`; files without any are left out.
 *
 * One getfattr does it all: a process for each file would take minutes.
 */
export function readXattrs(root: string): Map<string, Xattrs> {
  // Its own name for the root is what it prints for the root, so the paths come out relative.
  const output = execFileSync('getfattr', ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'base64', '--', '.'], {
    cwd: root,
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    maxBuffer: OUTPUT_BYTES_MAX,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return parseGetfattr(output)
}

/** Parses what `getfattr --dump --encoding=base64` prints. @throws Error on a line that it cannot have printed */
export function parseGetfattr(output: Buffer): Map<string, Xattrs> {
  const files = new Map<string, Xattrs>()
  // Latin-1 keeps every byte: names are not UTF-8 before they are unescaped, and not always afterwards.
  for (const block of output.toString('latin1').split('\n\n').filter(Boolean)) {
    const [header, ...lines] = block.trimEnd().split('\n')
    if (!header?.startsWith(FILE_LINE)) throw new Error(`not getfattr's output: ${JSON.stringify(block.slice(0, 200))}`)
    const path = unescapeOctal(header.slice(FILE_LINE.length)).replace(/^\.\//, '')
    files.set(path, Object.fromEntries(lines.map(parseAttribute).sort(([a], [b]) => (a < b ? -1 : 1))))
  }
  return files
}

/** Sets attributes, all in one process; paths are relative to the root. */
export function writeXattrs(root: string, files: ReadonlyMap<string, Xattrs>): void {
  if (files.size === 0) return
  const blocks = [...files].map(([path, xattrs]) => {
    const lines = Object.entries(xattrs).map(([name, value]) => `${escapeOctal(name)}=${BASE64_MARK}${value}\n`)
    return `${FILE_LINE}${escapeOctal(`./${path}`)}\n${lines.join('')}\n`
  })
  execFileSync('setfattr', ['-h', '--restore=-'], {
    cwd: root,
    input: Buffer.from(blocks.join(''), 'latin1'),
    stdio: ['pipe', 'inherit', 'inherit'],
  })
}

function parseAttribute(line: string): readonly [name: string, value: string] {
  const [, name, value] = /^([^=]+)=0s([A-Za-z0-9+/]*={0,2})$/.exec(line) ?? []
  if (name === undefined || value === undefined) throw new Error(`not an attribute: ${JSON.stringify(line)}`)
  return [unescapeOctal(name), value]
}

function unescapeOctal(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
  return decodeName(Buffer.from(bytes, 'latin1'))
}

function escapeOctal(name: string): string {
  return encodeName(name)
    .toString('latin1')
    .replace(/[\n\r\\=]/g, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
