import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeScript } from '../../agent/rebuild/script.io'
import { refusalOf } from '../support/refusal'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'script-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

test('the script is its owner’s alone, to read first and to run', async () => {
  const path = join(directory, 'rebuild.sh')
  await writeScript(path, '#!/bin/sh\n')
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['#!/bin/sh\n', 0o700])
})

test('a file that is there already is left as it is', async () => {
  const path = join(directory, 'rebuild.sh')
  writeFileSync(path, 'mine')
  expect(await refusalOf(writeScript(path, '#!/bin/sh\n'))).toMatchObject({ code: 'TARGET_UNFIT' })
  expect(readFileSync(path, 'utf8')).toBe('mine')
})
