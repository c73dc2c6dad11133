import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openWay, type Directory } from '../../agent/restore/directory.io'
import { moveIntoPlace, type MoveOptions } from '../../agent/restore/move-into-place.io'
import { localDeps } from '../support/host-deps'

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'move-'))
  for (const name of ['from', 'to']) mkdirSync(join(scratch, name))
})
afterEach(() => execFileSync('rm', ['-rf', scratch]))

const open = (name: string): Directory => openWay(join(scratch, name), { links: 'refuse', mode: 0o700 })

async function move(onConflict: MoveOptions['onConflict']): Promise<readonly string[]> {
  using from = open('from')
  using to = open('to')
  const moved = await moveIntoPlace(localDeps(), from, to, { onConflict, headersOf: async () => undefined })
  return moved.complaints
}

test('trees of two thousand levels, which no stack and no path is long enough for', async () => {
  const levels = 2000
  for (const name of ['from', 'to']) {
    const make = `chdir $ARGV[0]; for (1..${levels}) { mkdir "d"; chdir "d" } open F, ">", $ARGV[1]`
    execFileSync('perl', ['-e', make, join(scratch, name), name])
  }
  expect(await move('fail')).toEqual([])
  const list = `chdir $ARGV[0]; for (1..${levels}) { chdir "d" } opendir D, "."; print sort grep !/^\\./, readdir D`
  expect(execFileSync('perl', ['-e', list, join(scratch, 'to')], { encoding: 'utf8' })).toBe('fromto')
}, 60_000)

test('an empty directory gives way to a file, a full one does not, and the rest goes on', async () => {
  for (const name of ['empty', 'full', 'next']) writeFileSync(join(scratch, 'from', name), 'new')
  for (const name of ['empty', 'full/of/it']) mkdirSync(join(scratch, 'to', name), { recursive: true })
  expect(await move('overwrite')).toEqual(['full: ENOTEMPTY: directory not empty'])
  expect(lstatSync(join(scratch, 'to/empty')).isFile()).toBe(true)
  expect(readdirSync(join(scratch, 'to/full'))).toEqual(['of'])
  expect(readFileSync(join(scratch, 'to/next'), 'utf8')).toBe('new')
})

test('what belongs on another filesystem that is mounted below is copied there, and nothing is left behind', async () => {
  for (const name of ['from', 'to']) mkdirSync(join(scratch, name, 'mnt'))
  mkdirSync(join(scratch, 'from/mnt/below'))
  writeFileSync(join(scratch, 'from/mnt/below/file'), 'new', { mode: 0o640 })
  const mounted = join(scratch, 'to/mnt')
  execFileSync('mount', ['--bind', mkdtempSync(join(scratch, 'other-')), mounted])
  try {
    expect(await move('fail')).toEqual([])
    expect(lstatSync(join(mounted, 'below/file'))).toMatchObject({ mode: 0o100640 })
    expect(readdirSync(mounted)).toEqual(['below'])
  } finally {
    execFileSync('umount', [mounted])
  }
  expect(existsSync(join(mounted, 'below'))).toBe(false)
})
