/** What an operator sees at a terminal of 80 columns: the bundle that ships, at a real one. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { COMMAND_NAMES } from '../agent/options/commands'
import { buildAgent, type Agent } from './support/agent'

const run = promisify(execFile)
const COLUMNS = 80

let agent: Agent
beforeAll(() => {
  agent = buildAgent()
})
afterAll(() => agent[Symbol.dispose]())

/** What appears, by lines. Both streams go to a terminal. */
async function show(...argv: readonly string[]): Promise<string[]> {
  const words = [process.execPath, agent.bundle, ...argv].map((word) => `'${word}'`).join(' ')
  const command = `stty cols ${COLUMNS} rows 24; ${words}`
  const { stdout } = await run('script', ['--quiet', '--return', '--command', command, '/dev/null']).catch(
    (error: unknown) => error as { stdout: string },
  )
  return stdout.replaceAll('\r', '').trimEnd().split('\n')
}

test.each([[], ...COMMAND_NAMES.map((name) => [name])])('help fits, and breaks no word: %s', async (...command) => {
  const lines = await show(...command, '--help')
  expect(lines[0]).toMatch(/^Usage: snapstream/)
  expect(lines.filter((line) => line.length > COLUMNS)).toEqual([])
})

test('help says what has to be given', async () => {
  const help = (await show('verify', '--help')).join(' ').replaceAll(/\s+/g, ' ')
  expect(help).toMatch(/--bucket <NAME> [^()]*\(required;/)
  expect(help).toMatch(/--run <RUN> [^()]*\(required;/)
})

test('an error is said once, without JSON', async () => {
  expect(await show('list')).toEqual([
    'snapstream: list needs to know the bucket: --bucket is missing',
    'HINT: Give --bucket, set SNAPSTREAM_BUCKET, or set "bucket" in /etc/snapstream/config.json.',
  ])
})
