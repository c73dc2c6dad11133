import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeNewFile } from '../../agent/rebuild/script.io'
import { refusalOf } from '../support/refusal'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'script-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('the script is its owner’s alone, to read first and to run', async () => {
  const path = join(directory, 'rebuild.sh')
  await writeNewFile(path, '#!/bin/sh\n', 0o700)
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['#!/bin/sh\n', 0o700])
})

test('a file that is there already is left as it is', async () => {
  const path = join(directory, 'rebuild.sh')
  writeFileSync(path, 'mine')
  expect(await refusalOf(writeNewFile(path, '#!/bin/sh\n', 0o700))).toMatchObject({ code: 'TARGET_UNFIT' })
  expect(readFileSync(path, 'utf8')).toBe('mine')
})

test('what is not to be run is not executable', async () => {
  const path = join(directory, 'template.json')
  await writeNewFile(path, '{}\n', 0o600)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
