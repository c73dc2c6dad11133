/** A path may be made to lead elsewhere by who can write to one of its directories; an open directory stays what it is. */
import { chmodSync, lchownSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs' // prettier-ignore
import { join } from 'node:path'
import { hasAttributes, inside, makeChild, openChild, openWay, reasonOf } from '../../agent/restore/directory.io'
import { refusal } from '../support/refusal'
import { makeTrustedDirectory } from '../support/trusted-directory'

const SOMEBODY = 1001

let home: string
let scratch: string
beforeAll(() => {
  home = makeTrustedDirectory()
})
afterAll(() => rmSync(home, { recursive: true }))
beforeEach(() => {
  scratch = mkdtempSync(join(home, 'way-'))
})

const modeOf = (name: string): number => lstatSync(join(scratch, name)).mode & 0o7777
const open = (name: string, links: 'follow' | 'refuse', mode = 0o700) => openWay(join(scratch, name), { links, mode })

test('what is missing of a path is made: the last of it as closed as asked for, whatever the umask', () => {
  const umask = process.umask(0o077)
  try {
    using _made = open('a/b/c', 'refuse', 0o750)
  } finally {
    process.umask(umask)
  }
  expect(['a', 'a/b', 'a/b/c'].map(modeOf)).toEqual([0o755, 0o755, 0o750])
})

test('a directory that is there keeps its mode', () => {
  mkdirSync(join(scratch, 'there'))
  chmodSync(join(scratch, 'there'), 0o1777)
  using _opened = open('there', 'refuse')
  expect(modeOf('there')).toBe(0o1777)
})

test('a directory of this machine has attributes', () => {
  using directory = open('.', 'refuse')
  expect(hasAttributes(directory)).toBe(true)
})

test('what is made in an open directory is made there, when its name belongs to another by then', () => {
  using way = open('mine', 'refuse')
  renameSync(join(scratch, 'mine'), join(scratch, 'moved'))
  mkdirSync(join(scratch, 'mine'))
  using _child = makeChild(way, 'child', 0o700)
  writeFileSync(inside(way, 'file'), '')
  expect(statSync(join(scratch, 'moved/child')).isDirectory()).toBe(true)
  expect(statSync(join(scratch, 'moved/file')).isFile()).toBe(true)
})

describe('a symbolic link', () => {
  beforeEach(() => {
    mkdirSync(join(scratch, 'disk'))
    symlinkSync('disk', join(scratch, 'link'))
  })

  test("is followed where it is root's, in a directory that is root's alone", () => {
    symlinkSync(join(scratch, 'link'), join(scratch, 'absolute'))
    using _way = open('absolute/made', 'follow')
    expect(statSync(join(scratch, 'disk/made')).isDirectory()).toBe(true)
  })

  test('is refused where none is to be followed, and nothing is made behind it', () => {
    expect(refusal(() => open('link/made', 'refuse'))).toMatchObject({
      code: 'TARGET_UNFIT',
      message: expect.stringContaining("/link/made cannot be opened or made: 'link': ENOTDIR"),
    })
    expect(() => statSync(join(scratch, 'disk/made'))).toThrow('ENOENT')
  })

  test.each([
    ["is somebody else's", () => lchownSync(join(scratch, 'link'), SOMEBODY, SOMEBODY)],
    ['lies in a directory that all may write to', () => chmodSync(scratch, 0o777)],
    ["lies in somebody else's directory", () => lchownSync(scratch, SOMEBODY, SOMEBODY)],
  ])('is refused where it %s', (_, spoil) => {
    spoil()
    expect(refusal(() => open('link', 'follow')).message).toMatch(/a link that a user other than root may have placed$/)
  })

  test('is followed in a directory like /tmp, where nobody can replace it', () => {
    chmodSync(scratch, 0o1777)
    using _way = open('link/made', 'follow')
    expect(statSync(join(scratch, 'disk/made')).isDirectory()).toBe(true)
  })

  test('that leads to itself comes to an end', () => {
    symlinkSync('loop', join(scratch, 'loop'))
    expect(refusal(() => open('loop', 'follow'))).toMatchObject({ code: 'TARGET_UNFIT' })
  })

  test('is no child of a directory', () => {
    using way = open('.', 'refuse')
    expect(() => openChild(way, 'link')).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  })
})

test('a reason names no descriptor', () => {
  expect(reasonOf(new Error("ENOTEMPTY: directory not empty, rmdir '/proc/self/fd/21/x'"))).toBe(
    'ENOTEMPTY: directory not empty',
  )
})
