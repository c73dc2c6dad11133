import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeMetrics } from '../../agent/notify/metrics-file.io'
import { logWarnings } from '../support/log'

const at = new Date('2026-01-31T02:00:00Z')
const failed = { startedAt: at, endedAt: at, status: 1 } as const

let directory: string
let file: string
let warnings: string[]
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
  file = join(directory, 'snapstream.prom')
  warnings = []
})
afterEach(() => rmSync(directory, { recursive: true }))

const write = (end: Parameters<typeof writeMetrics>[2] = failed, name = 'daily') =>
  writeMetrics({ log: logWarnings(warnings) }, { metricsFile: file, class: name }, end)

test('the collector, who is another user, can read it, whatever the umask; nothing else is left', async () => {
  const umask = process.umask(0o077)
  await write().finally(() => process.umask(umask))
  expect(statSync(file).mode & 0o777).toBe(0o644)
  expect(readFileSync(file, 'utf8')).toContain('snapstream_last_run_status{class="daily"} 1\n')
  await write(failed, 'weekly')
  expect(readFileSync(file, 'utf8').match(/snapstream_last_run_status\{/g)).toHaveLength(2)
  expect([readdirSync(directory), warnings]).toEqual([['snapstream.prom'], []])
})

test('what a killed run left is removed', async () => {
  writeFileSync(join(directory, '.snapstream.prom.0123456789ab.unfinished'), 'snapst')
  writeFileSync(join(directory, '.other.unfinished'), '')
  await write()
  expect(readdirSync(directory).toSorted()).toEqual(['.other.unfinished', 'snapstream.prom'])
})

test('the owner of the directory cannot have root write through a link, nor wait at a pipe', async () => {
  const victim = join(directory, 'victim')
  writeFileSync(victim, 'precious')
  symlinkSync(victim, file)
  await write()
  expect(readFileSync(victim, 'utf8')).toBe('precious')
  expect(readFileSync(file, 'utf8')).toContain('snapstream_last_run_status')
  rmSync(file)
  execFileSync('mkfifo', [file])
  await write()
  expect(statSync(file).isFile()).toBe(true)
  expect(warnings).toEqual([])
})

test('a run that finds another one at work leaves the word to that one', async () => {
  await write({ ...failed, status: 11 })
  expect(readdirSync(directory)).toEqual([])
})

test('a directory that is not there is a warning, and no failure of the backup', async () => {
  file = join(directory, 'none', 'snapstream.prom')
  await write()
  expect(warnings).toEqual([expect.stringMatching(/^the metrics were not written to .*: ENOENT/)])
  chmodSync(directory, 0o700)
})
