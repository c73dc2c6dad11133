/** Whose turn it is outlives a run, and that it does not is no reason for a backup to fail. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nextSample } from '../../agent/verify/sample-schedule.io'
import { logWarnings } from '../support/log'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rotation-'))
  file = join(directory, 'snapstream/samples.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

const warnings: string[] = []
beforeEach(() => void warnings.splice(0))
const log = logWarnings(warnings)

/** A run whose volumes are all good but for these. */
async function run(volumes: readonly string[], failed: readonly string[] = []): Promise<Record<string, number>> {
  const turn = await nextSample(log, volumes, { count: 1, parts: 3 }, file)
  const good = volumes.filter((volume) => !failed.includes(volume))
  await turn.end(good.map((volume) => ({ volume, sampled: turn.samples.get(volume) })))
  return Object.fromEntries([...turn.samples].map(([volume, { part }]) => [volume, part]))
}

test('each run compares what comes next, of each volume by itself', async () => {
  expect(await run(['root', 'home'])).toEqual({ root: 1, home: 1 })
  expect(await run(['root', 'home'], ['home'])).toEqual({ root: 2, home: 2 })
  expect(await run(['root'])).toEqual({ root: 3 })
  expect(await run(['root', 'home'])).toEqual({ root: 1, home: 2 })
  expect(warnings).toEqual([`${file} is not there (yet): comparing the first part of each volume`])
})

test('the file and its directory are for root alone, and nothing else lies there', async () => {
  await run(['root'])
  expect(readdirSync(join(directory, 'snapstream'))).toEqual(['samples.json'])
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(directory, 'snapstream')).mode & 0o777).toBe(0o700)
})

test.each(['', '{"root": {"next": -1}}', 'not JSON'])(
  'a file with %j in it starts anew, with a warning',
  async (text) => {
    await run(['root'])
    writeFileSync(file, text)
    expect(await run(['root'])).toEqual({ root: 1 })
    expect(warnings[1]).toBe(`${file} is damaged: comparing the first part of each volume`)
    expect(await run(['root'])).toEqual({ root: 2 })
  },
)

test('what a killed run left half written is not read, and overwritten', async () => {
  await run(['root'])
  writeFileSync(`${file}.new`, '{"root": {"next"')
  chmodSync(`${file}.new`, 0o600)
  expect(await run(['root'])).toEqual({ root: 2 })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ root: { next: 3, parts: 3 } })
})

test('where it cannot be written, the same parts come again, with a warning', async () => {
  writeFileSync(join(directory, 'snapstream'), 'a file in the place of the directory')
  expect(await run(['root'])).toEqual({ root: 1 })
  expect(await run(['root'])).toEqual({ root: 1 })
  expect(warnings[1]).toMatch(/samples\.json cannot be written, the next run will compare the same parts: /)
})

test('without a share nothing is read, and nothing written', async () => {
  mkdirSync(join(directory, 'snapstream'))
  const turn = await nextSample(log, ['root'], undefined, file)
  await turn.end([{ volume: 'root' }])
  expect([turn.samples.size, warnings, readdirSync(join(directory, 'snapstream'))]).toEqual([0, [], []])
})
