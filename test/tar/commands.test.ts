import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  excludesWithin,
  findTarDefect,
  parseTarVersion,
  TAR_FEATURES,
  TAR_VERSION,
  tarCreate,
  tarExtract,
  tarSetDirectories,
} from '../../agent/tar/commands'
import type { Argv } from '../../agent/context'

let scratch: string
let directory: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  directory = join(scratch, 'volume')
  mkdirSync(directory)
})
afterEach(() => rmSync(scratch, { recursive: true }))

/** The input comes from a file: tar does not read an archive's padding, and would break a pipe. */
function run([program, ...args]: Argv, input: Buffer = Buffer.alloc(0)): Buffer {
  const file = join(mkdtempSync(join(scratch, 'input-')), 'archive')
  writeFileSync(file, input)
  const stdin = openSync(file, 'r')
  try {
    return execFileSync(program, args, { maxBuffer: 2 ** 30, stdio: [stdin, 'pipe', 'ignore'] })
  } finally {
    closeSync(stdin)
  }
}

function makeFiles(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(directory, dirname(path)), { recursive: true })
    writeFileSync(join(directory, path), path)
  }
}

function membersOf(excludes: readonly string[]): string[] {
  const list = run(['tar', '--list', '--file=-'], run(tarCreate(directory, excludes))).toString()
  return list.split('\n').filter((name) => name !== '' && !name.endsWith('/')).map((name) => name.slice(2)).sort() // prettier-ignore
}

describe('excluded from an archive', () => {
  const FILES = ['cache/a', 'var/cache/a', 'var/cache/sub/b', 'var/log/a.tmp', 'x.tmp']

  test.each<[string, string[], string[]]>([
    ['nothing', [], FILES],
    ['a directory, by its place', ['/cache'], ['var/cache/a', 'var/cache/sub/b', 'var/log/a.tmp', 'x.tmp']],
    ['a directory, wherever it is', ['cache'], ['var/log/a.tmp', 'x.tmp']],
    ['what a directory holds, but not itself', ['/var/cache/*'], ['cache/a', 'var/log/a.tmp', 'x.tmp']],
    ['files by their ending, wherever they are', ['*.tmp'], ['cache/a', 'var/cache/a', 'var/cache/sub/b']],
    ['files by their ending, in one place', ['/*.tmp'], ['cache/a', 'var/cache/a', 'var/cache/sub/b', 'var/log/a.tmp']],
    ['one level below a directory of any name', ['/*/cache'], ['cache/a', 'var/log/a.tmp', 'x.tmp']],
    ['several', ['/cache', '*.tmp'], ['var/cache/a', 'var/cache/sub/b']],
  ])('is %s', (_, excludes, expected) => {
    makeFiles(...FILES)
    expect(membersOf(excludes)).toEqual(expected)
  })

  test("is what is mounted below, but not the mount point: that is another volume's", () => {
    makeFiles('own', 'mounted/other')
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', join(directory, 'mounted')])
    try {
      writeFileSync(join(directory, 'mounted/hidden'), '')
      const members = run(['tar', '--list', '--file=-'], run(tarCreate(directory))).toString().trim().split('\n') // prettier-ignore
      expect(members.sort()).toEqual(['./', './mounted/', './own'])
    } finally {
      execFileSync('umount', [join(directory, 'mounted')])
    }
  })
})

test.each<[string, string[], string[]]>([
  ['/', ['/var/tmp', '*.o'], ['/var/tmp', '*.o']],
  ['/var', ['/var/tmp', '/home/*/.cache', '*.o'], ['/tmp', '*.o']],
  ['/var', ['/variable'], []],
  ['/srv/data', ['/srv/data/*', '/srv'], ['/*']],
])('within the volume at %s, %j are %j', (mountPoint, excludes, expected) => {
  expect(excludesWithin(mountPoint, excludes)).toEqual(expected)
})

test('two archives of the same tree are the same', () => {
  makeFiles('a', 'b/c')
  expect(run(tarCreate(directory)).equals(run(tarCreate(directory)))).toBe(true)
})

test('what was written is extracted, whatever it is called', () => {
  makeFiles('-a', 'b/[c]', 'b/c')
  const archive = run(tarCreate(directory))
  const target = mkdtempSync(join(scratch, 'target-'))
  run(tarExtract(target), archive)
  expect(run(['cat', `${target}/-a`, `${target}/b/[c]`, `${target}/b/c`]).toString()).toBe('-ab/[c]b/c')
})

test('where there can be no attributes, none are set, and owners and modes are', () => {
  const words = (withAttributes: boolean) => [
    ...tarExtract('/x', { withAttributes }),
    ...tarSetDirectories({ withAttributes }),
  ]
  const attributes = ['--acls', '--selinux', '--xattrs', '--xattrs-include=*']
  expect(words(true)).toEqual(expect.arrayContaining(attributes))
  expect(words(false).filter((word) => attributes.includes(word))).toEqual([])
  expect(words(false)).toEqual(words(true).filter((word) => !attributes.includes(word)))
})

test('the installed tar will do', () => {
  const { status, stderr } = spawnSync(TAR_FEATURES[0], TAR_FEATURES.slice(1), { encoding: 'utf8' })
  expect(status).toBe(0)
  expect(findTarDefect(parseTarVersion(run(TAR_VERSION).toString()), stderr)).toBeUndefined()
})

test.each([
  ['tar (GNU tar) 1.34\nCopyright', '1.34'],
  ['tar (GNU tar) 1.28.90\n', '1.28.90'],
])('%j is version %s', (text, version) => {
  expect(parseTarVersion(text)).toBe(version)
})

test.each(['bsdtar 3.7.2 - libarchive 3.7.2', 'tar (busybox) 1.36.1', ''])('%j is refused', (text) => {
  expect(() => parseTarVersion(text)).toThrow('tar is not GNU tar')
})

test.each([
  ['1.28', '', 'tar 1.28 is older than 1.29'],
  ['1.29', '', undefined],
  ['1.35', '', undefined],
  ['2.0', '', undefined],
  [
    '1.34',
    'tar: SELinux support is not available\n',
    'tar cannot keep all metadata: tar: SELinux support is not available',
  ],
])('tar %s that says %j has the defect %s', (version, complaint, defect) => {
  expect(findTarDefect(version, complaint)).toBe(defect)
})

test('directories 20,000 deep are no end of it, though any user can make them', () => {
  const descend = "for (let i = 0; i < 20_000; i++) { fs.mkdirSync('d'); process.chdir('d') }"
  execFileSync(process.execPath, ['-e', `const fs = require('fs'); process.chdir('${directory}'); ${descend}`])
  const [program, ...args] = tarCreate(directory)

  const { status, signal, stderr } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })

  execFileSync('rm', ['-rf', join(directory, 'd')])
  expect({ status, signal, stderr: stderr.toString() }).toEqual({ status: 0, signal: null, stderr: '' })
}, 300_000)
