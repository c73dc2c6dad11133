/** What is in the target already decides what a restore may do: it is told apart by all that a catalog knows. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assertFits, isBare, openTarget } from '../../agent/restore/target.io'
import type { CatalogEntry } from '../../agent/tar/entry'
import { refusal } from '../support/refusal'
import { catalogOf } from './plan-fixture'

const MTIME = 1_700_000_000

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'target-'))
})
afterEach(() => rmSync(scratch, { recursive: true }))

const at = (name: string): string => join(scratch, name)

describe('a directory to restore into is fresh', () => {
  test('where it is not there, or empty', () => {
    expect(openTarget(at('new'))).toMatchObject({ isFresh: true, isClosed: false })
    expect(openTarget(scratch)).toMatchObject({ isFresh: true, isClosed: true })
  })

  test('where it has only directories to mount others at, and what mkfs makes', () => {
    for (const name of ['var/lib', 'lost+found']) mkdirSync(at(name), { recursive: true })
    expect(isBare(scratch, ['var/lib'])).toBe(true)
    expect(isBare(scratch, [])).toBe(false)
  })

  test('but not with a file in one of those, or where others can make one', () => {
    mkdirSync(at('var'))
    chmodSync(at('var'), 0o777)
    expect(isBare(scratch, ['var'])).toBe(false)
    chmodSync(at('var'), 0o755)
    expect(isBare(scratch, ['var'])).toBe(true)
    writeFileSync(at('var/file'), '')
    expect(isBare(scratch, ['var'])).toBe(false)
  })
})

test('a file is nothing to restore into', () => {
  writeFileSync(at('file'), '')
  expect(refusal(() => openTarget(at('file')))).toMatchObject({
    code: 'TARGET_UNFIT',
    message: expect.stringContaining(`${at('file')} cannot be restored into`),
    hint: 'Give a directory, or the name of a new one, with --target.',
  })
})

describe('a file that is there', () => {
  const entryOf = (changes: Partial<CatalogEntry> = {}): CatalogEntry =>
    catalogOf({ path: 'file', type: 'file', size: 4, mtime: String(MTIME), ...changes })[0]!
  beforeEach(() => {
    writeFileSync(at('file'), 'text')
    chmodSync(at('file'), 0o644)
    utimesSync(at('file'), MTIME, MTIME)
  })

  test('is equal to an entry that says all of it', () => {
    expect(openTarget(scratch).inspect(entryOf())).toMatchObject({ state: 'equal', newer: false })
  })

  test.each<Partial<CatalogEntry>>([
    { size: 5 },
    { mode: 0o4644 },
    { uid: 1001 },
    { gid: 1001 },
    { mtime: `${MTIME}.000000001` },
    { type: 'directory' },
  ])('differs from one of %j', (changes) => {
    expect(openTarget(scratch).inspect(entryOf(changes))).toMatchObject({ state: 'different' })
  })

  test('is newer by a nanosecond', () => {
    const before = entryOf({ mtime: `${MTIME - 1}.999999999` })
    expect(openTarget(scratch).inspect(before)).toMatchObject({ state: 'different', newer: true })
  })

  test('has nothing below it', () => {
    expect(openTarget(scratch).inspect(entryOf({ path: 'file/below' }))).toEqual({ state: 'absent' })
  })
})

test('a symbolic link is compared by where it leads', () => {
  symlinkSync('here', at('link'))
  const target = openTarget(scratch)
  const different = catalogOf({ path: 'link', type: 'symlink', link: 'there' })[0]!
  expect(target.inspect(different)).toMatchObject({ state: 'different', isSymlink: true })
})

test('nothing is restored through a symbolic link', () => {
  mkdirSync(at('real'))
  symlinkSync('real', at('link'))
  const target = openTarget(scratch)
  for (const path of ['real/file', 'new/file', 'link']) target.assertContained(path)
  expect(refusal(() => target.assertContained('link/deep/file'))).toMatchObject({
    code: 'TARGET_UNFIT',
    message: `${at('link')} is not a directory, and link/deep/file lies below it`,
  })
})

test('another filesystem is seen by its root', () => {
  const root = openTarget('/')
  expect(root.isMountPoint('proc')).toBe(true)
  expect(root.isMountPoint('proc/self')).toBe(false)
  expect(root.isMountPoint('not there')).toBe(false)
})

describe('a restore fits', () => {
  const need = (sizeBytes: number) => ({ directory: at('not/yet'), sizeBytes, entries: 1 })

  test('where there is room, in a directory still to be made', () => {
    expect(() => assertFits([need(1), need(1)])).not.toThrow()
  })

  test('not where there is too little for all volumes of a filesystem together', () => {
    const { message } = refusal(() => assertFits([need(2 ** 59), need(2 ** 59)]))
    expect(message).toMatch(/ free, the restore needs 1024 PiB$/)
  })

  test('not on a filesystem that is mounted read-only', () => {
    const mounted = at('mounted')
    mkdirSync(mounted)
    execFileSync('mount', ['--bind', mounted, mounted])
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', mounted])
      const { message } = refusal(() => assertFits([{ ...need(1), directory: join(mounted, 'new') }]))
      expect(message).toContain(`${mounted}/new cannot be written to: Error: EROFS`)
    } finally {
      execFileSync('umount', [mounted])
    }
  })
})

test('a directory is closed to others only where its owner is who restores', () => {
  chownSync(scratch, 1001, 1001)
  expect(openTarget(scratch).isClosed).toBe(false)
})
