import { listedRun } from '../../agent/find/run-table'
import { manifestKey } from '../../agent/contract'
import { assertDescribed, parseLastLine } from './last-line'
import { manifestOf } from './manifest'

const manifest = manifestOf()
const [volume] = manifest.volumes
const backup = JSON.parse(
  JSON.stringify({ ...manifest, system: undefined, leftBehind: [], manifest: manifestKey(manifest) }),
) as object
const { class: className, host, run } = manifest
const runs = [listedRun({ class: className, host, run }, manifest, {})]

test('what a command tells programs is looked over, however deep it is', () => {
  expect(() => assertDescribed('backup', backup)).not.toThrow()
  const odd = { ...backup, volumes: [{ ...volume!, archive: { ...volume!.archive, colour: 'red' } }] }
  expect(() => assertDescribed('backup', odd)).toThrow('schemas/backup.json does not describe this output')
  expect(() => assertDescribed('list', { host: 'db-1', total: 1, runs })).not.toThrow()
  expect(() => assertDescribed('list', { host: 'db-1', total: 1, runs: [{ ...runs[0], colour: 'red' }] })).toThrow()
})

test('so is what it does not tell', () => {
  expect(() => assertDescribed('backup', { ...backup, volumes: [{ volume: 'vg0-home' }] })).toThrow()
  expect(() => assertDescribed('cleanup', { dryRun: true })).toThrow(/mounts/)
})

test('an error has its own schema, and a summary none', () => {
  expect(parseLastLine('list', 'Nothing.\n')).toBeUndefined()
  const error = { code: 'BUSY', message: 'another run holds the lock', hint: 'Wait.' }
  expect(parseLastLine('list', `${JSON.stringify({ error })}\n`)).toEqual({ error })
  expect(() => parseLastLine('list', `${JSON.stringify({ error: { ...error, code: 'TIRED' } })}\n`)).toThrow(/code/)
})
