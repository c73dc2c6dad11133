/** Where another host's files lie for a while. Real mounts, as root. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { removeScratches, takeScratch } from '../../agent/host/scratch.io'
import { findScratchMounts, isScratchName, SCRATCH_PREFIX } from '../../agent/host/scratch'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'
import { makeTrustedDirectory } from '../support/trusted-directory'

let parent: string
beforeEach(() => {
  parent = makeTrustedDirectory()
})
afterEach(() => {
  for (const path of mountsIn(parent)) execFileSync('umount', ['--lazy', path])
  rmSync(parent, { recursive: true, force: true })
})

const table = () =>
  (
    JSON.parse(execFileSync('findmnt', ['--json', '--list', '--output', 'TARGET,OPTIONS']).toString()) as {
      filesystems: { target: string; options: string }[]
    }
  ).filesystems
const mountsIn = (directory: string) =>
  table()
    .filter(({ target }) => target.startsWith(`${directory}/`))
    .map(({ target }) => target)
const scratchesIn = (directory: string) => readdirSync(directory).filter((name) => isScratchName(name))
/** What a killed drill leaves: a directory over which it is mounted, with files. */
function leave(mounted = true, name = `${SCRATCH_PREFIX}0123456789abcdef`): string {
  const path = join(parent, name)
  mkdirSync(path, { mode: 0o700 })
  if (mounted) execFileSync('mount', ['--bind', path, path])
  mkdirSync(join(path, 'restored'))
  writeFileSync(join(path, 'restored', 'file'), 'of another host')
  return path
}

test('nobody but root gets in, and nothing in it gives rights, is a device or can be run', async () => {
  await using scratch = await takeScratch(localDeps(), parent)
  expect(statSync(scratch.path)).toMatchObject({ uid: 0, mode: 0o40700 })
  const options = table()
    .find(({ target }) => target === scratch.path)
    ?.options.split(',')
  expect(options).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev', 'noexec']))
  const program = join(scratch.path, 'program')
  writeFileSync(program, '#!/bin/sh\n', { mode: 0o4755 })
  expect(() => execFileSync(program, { stdio: 'pipe' })).toThrow('EACCES')
})

test('released, it is gone with all that is in it, however deep and whoever is in it', async () => {
  const scratch = await takeScratch(localDeps(), parent)
  const deep = join(scratch.path, ...Array.from({ length: 200 }, () => 'deeper'))
  mkdirSync(deep, { recursive: true })
  const sleeper = spawn('sleep', ['60'], { cwd: deep })
  await once(sleeper, 'spawn')
  await scratch[Symbol.asyncDispose]()
  expect([scratchesIn(parent), mountsIn(parent)]).toEqual([[], []])
  sleeper.kill()
})

test('a directory that is not there is made, for root alone', async () => {
  const { path, ...scratch } = await takeScratch(localDeps(), join(parent, 'new/one'))
  expect(statSync(join(parent, 'new/one')).mode & 0o777).toBe(0o700)
  expect(path.startsWith(join(parent, 'new/one', SCRATCH_PREFIX))).toBe(true)
  await scratch[Symbol.asyncDispose]()
})

test('where others may write, they could put something in its place', async () => {
  chmodSync(parent, 0o777)
  const told = await refusalOf(takeScratch(localDeps(), parent))
  expect(told).toMatchObject({ code: 'TARGET_UNFIT', hint: expect.stringMatching(/^Run "chmod go-w .*--scratch/) })
  expect(readdirSync(parent)).toEqual([])
})

test('one drill at a time is at work in a directory', async () => {
  await using scratch = await takeScratch(localDeps(), parent)
  expect(await refusalOf(takeScratch(localDeps(), parent))).toMatchObject({ code: 'BUSY' })
  expect(await removeScratches(localDeps(), parent, false)).toEqual({ removed: [], leftBehind: [] })
  expect(existsSync(scratch.path)).toBe(true)
})

describe('what a killed drill left', () => {
  test.each([true, false])('is removed by the next one (still mounted: %s)', async (mounted) => {
    const left = leave(mounted)
    const deps = localDeps()
    await using scratch = await takeScratch(deps, parent)
    expect([existsSync(left), mountsIn(parent)]).toEqual([false, [scratch.path]])
    expect(deps.logged.join('')).toContain(`removed ${left}, which a killed drill left behind`)
  })

  test('is found and removed by cleanup, also where it lies in another directory than the usual one', async () => {
    const left = leave()
    const usual = join(parent, 'usual')
    expect(await removeScratches(localDeps(), usual, true)).toEqual({ removed: [left], leftBehind: [] })
    expect(existsSync(left)).toBe(true)
    expect(await removeScratches(localDeps(), usual, false)).toEqual({ removed: [left], leftBehind: [] })
    expect([scratchesIn(parent), mountsIn(parent)]).toEqual([[], []])
  })

  test('and nothing else is: no other name, nobody else’s directory, none that others get into', async () => {
    const foreign = leave(false, `${SCRATCH_PREFIX}00000000000000aa`)
    execFileSync('chown', ['65534', foreign])
    const open = leave(false, `${SCRATCH_PREFIX}00000000000000bb`)
    chmodSync(open, 0o755)
    const named = leave(false, `${SCRATCH_PREFIX}mine`)
    expect(await removeScratches(localDeps(), parent, false)).toEqual({ removed: [], leftBehind: [] })
    expect([foreign, open, named].map((path) => existsSync(path))).toEqual([true, true, true])
  })
})

test('mounts of ours are known by their last name', () => {
  const at = (target: string) => ({ target, source: '', filesystem: '', options: '', deviceNumber: '', root: '/' })
  const ours = '/mnt/a b/.snapstream-drill-0123456789abcdef'
  expect(findScratchMounts(['/', ours, `${ours}/restored`, '/mnt/.snapstream-drill-x'].map(at))).toEqual([ours])
})
