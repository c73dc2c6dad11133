/** An index is worth nothing that a backup is: whatever goes wrong with it is told, and harms nothing. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runIndexes } from '../../agent/backup/run-indexes.io'
import { makeTrustedDirectory } from '../support/trusted-directory'
import { nightsOfVolume } from './night-scene'

jest.setTimeout(60_000)

test('where it cannot be written, the archive is made all the same', async () => {
  using nights = nightsOfVolume()
  rmSync(nights.indexes, { recursive: true })
  writeFileSync(nights.indexes, 'a file in the place of the directory')
  const { archived, logged } = await nights.next()
  expect(archived.archive.entries).toBe(102)
  expect(logged.join('\n')).toContain('vg-home: no index of its full archive is kept')
})

test('where the files are other ones than in the catalog, there is none, and the archive stays good', async () => {
  using nights = nightsOfVolume()
  const elsewhere = join(nights.directory, 'etc')
  const { archived, logged } = await nights.next({ mount: { tree: elsewhere } })
  expect(archived.archive.entries).toBe(102)
  expect(logged.join('\n')).toMatch(/no index of its full archive is kept, .* the filesystem has /)
  expect(readdirSync(join(nights.indexes, 'daily'))).toEqual([])
})

test('what is not kept leaves nothing', async () => {
  const directory = makeTrustedDirectory()
  try {
    {
      await using indexes = runIndexes(() => undefined, directory)
      await indexes.draft('daily', 'vg-home')
      expect(existsSync(join(directory, 'daily'))).toBe(true)
    }
    expect(readdirSync(join(directory, 'daily'))).toEqual([])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('one that cannot be put in its place is told of', async () => {
  using nights = nightsOfVolume()
  mkdirSync(join(nights.indexes, 'daily', 'vg-home.index', 'in the way'), { recursive: true })
  const { logged } = await nights.next()
  expect(logged.join('\n')).toContain('vg-home: no index of its full archive is kept')
})
