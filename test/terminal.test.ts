/** What an operator sees at a terminal of 80 columns: the bundle that ships, at a real one. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { COMMAND_NAMES } from '../agent/options/commands'
import { manifestKey } from '../agent/contract'
import { buildAgent, type Agent } from './support/agent'
import { manifestOf } from './support/manifest'
import { scriptedS3, success } from './support/scripted-s3'

const run = promisify(execFile)
const COLUMNS = 80

let agent: Agent
beforeAll(() => {
  agent = buildAgent()
})
afterAll(() => agent[Symbol.dispose]())

/** What appears, by lines. Both streams go to a terminal. */
async function show(...argv: readonly string[]): Promise<string[]> {
  return showIn({}, ...argv)
}

async function showIn(environment: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<string[]> {
  const words = [process.execPath, agent.bundle, ...argv].map((word) => `'${word}'`).join(' ')
  const command = `stty cols ${COLUMNS} rows 24; ${words}`
  const env = { ...process.env, ...environment }
  const { stdout } = await run('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env }).catch(
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

test('the list of runs fits, whatever else there would be to show', async () => {
  const manifest = manifestOf()
  const listed = (content: string) => success(`<ListBucketResult>${content}</ListBucketResult>`)
  const date = '2026-01-31T04:06:06.000Z'
  const entry = `<Contents><Key>${manifestKey(manifest)}</Key><Size>9</Size><LastModified>${date}</LastModified></Contents>`
  await using s3 = await scriptedS3({
    ListObjectsV2: [listed(entry), listed('')],
    ListObjectVersions: [success('<ListVersionsResult></ListVersionsResult>')],
    GetObject: [success(JSON.stringify(manifest), { 'last-modified': new Date(date).toUTCString() })],
  })
  const credentials = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' }
  const where = ['--bucket', 'backups', '--region', 'us-east-1', '--endpoint-url', s3.url, '--log-level', 'warn']
  const lines = await showIn(credentials, 'list', ...where, '--host', manifest.host, '--class', manifest.class)
  expect(lines).toContainEqual(expect.stringMatching(/^ {2}RUN +AGE +CLASS +STATUS +RAW +STORED +VERIFIED$/))
  expect(lines).toContainEqual(expect.stringContaining(`${manifest.run} `))
  expect(lines.filter((line) => line.length > COLUMNS)).toEqual([])
})
