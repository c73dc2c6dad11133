import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertTrustedScript, runCheckScript } from '../../agent/drill/check-script.io'
import { place } from '../support/archives'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'
import { makeTrustedDirectory } from '../support/trusted-directory'

let directory: string
let script: string
beforeEach(() => {
  directory = makeTrustedDirectory()
  script = join(directory, 'check')
})
afterEach(() => rmSync(directory, { recursive: true }))

const write = (text: string, mode = 0o700) => writeFileSync(script, `#!/bin/sh\n${text}\n`, { mode })
const run = (seconds = 10) => runCheckScript(localDeps(), script, '/nowhere/restored', place, seconds)

test('it is given the directory as its one argument, whatever that is called, and no credentials', async () => {
  process.env['AWS_SECRET_ACCESS_KEY'] = 'secret'
  write('echo "$#:$1:${AWS_SECRET_ACCESS_KEY-none}:$SNAPSTREAM_RUN" >"$0.seen"')
  expect(await run()).toBeUndefined()
  delete process.env['AWS_SECRET_ACCESS_KEY']
  write(`test "$(cat "$0.seen")" = "1:/nowhere/restored:none:${place.run}"`)
  expect(await run()).toBeUndefined()
})

test('what it says last is told, where it is not content', async () => {
  write('echo "no table users"; echo "and more" >&2; exit 3')
  expect(await run()).toBe(`${script} ended with status 3: no table users\n\nand more`)
})

test('its time is limited', async () => {
  write('sleep 60')
  expect(await run(1)).toMatch(/check (took more than 1 s|ended with status 137)/)
})

test.each<[string, () => void, RegExp]>([
  ['that anybody can change', () => chmodSync(script, 0o707), /could be changed by users other than root/],
  ['that cannot be run', () => chmodSync(script, 0o600), /is not executable/],
  ['that is not there', () => rmSync(script), /cannot be read/],
  ['that is a directory', () => (rmSync(script), mkdirSync(script)), /is not a file/],
])('a script %s is refused', async (_, spoil, expected) => {
  write('touch "$0.ran"')
  spoil()
  const told = { code: 'HOOK_FAILED', message: expect.stringMatching(expected) as string }
  expect(await refusalOf(assertTrustedScript(script))).toMatchObject(told)
  expect(await refusalOf(run())).toMatchObject(told)
  expect(existsSync(`${script}.ran`)).toBe(false)
})
