/**
 * The fleet, as its operator sees it the morning after: the hosts that were backed up, and one that ought to have been. What an
 * auditor leaves in the bucket each hour, the demo leaves there once; the rest is the program that operators have.
 */
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { connectToS3 } from '../agent/bucket/client.io'
import { ExitStatus } from '../agent/contract'
import { fleetConfigSchema } from '../fleet/model/config'
import { remember } from '../fleet/model/memory'
import { observeFleet } from '../fleet/observe.io'
import { s3Vault } from '../fleet/vault.io'
import { writeState } from '../fleet/evidence/state-file.io'
import type { Server } from '../test/servers/index'
import type { Bucket } from './bucket'

const PROGRAM = resolve(__dirname, '../dist/fleet.cjs')
/** Stays when all else is taken down: it is there to be looked at. */
const PAGE = join(tmpdir(), 'snapstream-fleet.html')
/** Is to be backed up each night, and nobody ever did. */
const NEVER_BACKED_UP = 'host-that-nobody-installed'

export interface FleetShown {
  readonly command: string
  /** What `status` printed. */
  readonly status: string
  /** Where the page is. */
  readonly page: string
}

/** @param hosts - names of those that were backed up */
export async function lookAtFleet(server: Server, bucket: Bucket, hosts: readonly string[]): Promise<FleetShown> {
  await leaveState(server, bucket, [...hosts, NEVER_BACKED_UP])
  const status = runProgram(server, bucket, ['status'])
  runProgram(server, bucket, ['report', '--html', PAGE])
  return { command: `snapstream-fleet status --bucket ${bucket.name}`, status, page: PAGE }
}

async function leaveState(server: Server, bucket: Bucket, hosts: readonly string[]): Promise<void> {
  const { signal } = new AbortController()
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
  const { region, endpoint: endpointUrl } = server
  const credentials = () => Promise.resolve(server)
  const vault = s3Vault(connectToS3({ bucket: bucket.name, region, endpointUrl, credentials, log }))
  const config = fleetConfigSchema.parse({
    classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35 }],
    schedules: [],
    expectedHosts: hosts.map((host) => ({ host, classes: ['daily'] })),
  })
  const openAccount = () => Promise.reject(new Error('the demo has no account'))
  const deps = { vault, log, signal, now: () => new Date(), openAccount }
  const { at, view, inventory, histories, memories } = await observeFleet(deps, { config, inventory: 'ask' })
  const remembered = new Map(remember(view, memories).map((memory) => [memory.host, memory]))
  await writeState(deps, { at, version: 'demo', config, inventory, histories, memories: remembered })
}

function runProgram(server: Server, bucket: Bucket, argv: readonly string[]): string {
  const place = ['--bucket', bucket.name, '--region', bucket.region, '--endpoint-url', server.endpoint]
  const environment = { PATH: process.env['PATH'], ...bucket.environment }
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, ...argv, ...place], {
    encoding: 'utf8',
    env: environment,
  })
  // One host has no backup, so not all is well.
  if (status !== ExitStatus.incomplete) {
    throw new Error(`snapstream-fleet ${argv.join(' ')} ended with status ${status ?? 'none'}\n${stdout}${stderr}`)
  }
  return stdout.trimEnd()
}
