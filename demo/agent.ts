/** Snapstream as its users have it: the bundle that ships, run in the guest. */
import { resolve } from 'node:path'
import type { Manifest } from '../agent/run/manifest'
import { parseManifest } from '../agent/run/parse-manifest'
import type { DemoHost } from './host'
import { getCommand, runShell, type Bucket } from './bucket'
import { HOOKS } from './writers'
import { parseManifestKey } from '../agent/contract'

const BUNDLE = resolve(__dirname, '../dist/agent.cjs')
const TIMEOUT_SECONDS = 300

export interface AgentRun {
  readonly command: string
  /** What it printed for people. */
  readonly summary: string
}

export async function backUp(host: DemoHost, bucket: Bucket): Promise<AgentRun> {
  const hooks = ['--pre-hook', HOOKS.pre, '--post-hook', HOOKS.post]
  const [run] = await Promise.all([
    runAgent(host, bucket, 'backup', ...host.agentOptions, ...hooks),
    host.whileHeld?.(),
  ])
  return run
}

/** Reads everything back from S3. */
export function verify(host: DemoHost, bucket: Bucket, run: string): Promise<AgentRun> {
  return runAgent(host, bucket, 'verify', '--run', run, '--depth', 'stream')
}

/** The manifest of the only run of a host, found and fetched without Snapstream. */
export async function getManifest({ guest, name }: DemoHost, bucket: Bucket): Promise<Manifest> {
  const objects = await bucket.listObjects()
  const [manifest, ...others] = objects.filter(({ key }) => key.startsWith('manifests/') && key.includes(`/${name}/`))
  if (!manifest || others.length > 0) throw new Error(`not one manifest, but: ${JSON.stringify(objects)}`)
  const place = parseManifestKey(manifest.key)
  if (!place) throw new Error(`${manifest.key} is no manifest's key`)
  return parseManifest(await runShell(guest, bucket, getCommand(bucket, manifest.key)), place)
}

/** Marks of Snapstream's that are still there: snapshots, mounts, unfinished uploads. */
export async function findLeftovers(host: DemoHost, bucket: Bucket): Promise<string[]> {
  const { guest } = host
  const mounts = await guest.run(['findmnt', '--list', '--noheadings', '--output', 'TARGET'])
  return [
    ...(await host.findSnapshots()).map((name) => `snapshot ${name}`),
    ...lines(mounts).flatMap((target) => (target.includes('/snapstream') ? [`mount ${target}`] : [])),
    ...(await bucket.listUnfinishedUploads()).map((key) => `unfinished upload ${key}`),
  ]
}

async function runAgent(
  { guest, name, agentEnvironment }: DemoHost,
  bucket: Bucket,
  command: string,
  ...options: readonly string[]
): Promise<AgentRun> {
  const place = ['--bucket', bucket.name, '--endpoint-url', bucket.endpoint, '--region', bucket.region, '--host', name]
  const argv = ['node', BUNDLE, command, ...place, ...options] as const
  const { status, stdout, stderr } = await guest.exec(argv, {
    environment: { ...bucket.environment, ...agentEnvironment },
    timeoutSeconds: TIMEOUT_SECONDS,
  })
  const shown = ['snapstream', ...argv.slice(2)].join(' ')
  if (status !== 0) throw new Error(`${shown} ended with status ${status ?? 'none'}\n${stdout}${stderr}`)
  const [summary = ''] = stdout.split(/\n(?=\{)/) // the last line is JSON, for programs
  return { command: shown, summary: summary.trimEnd() }
}

function lines(text: string): string[] {
  return text.split('\n').flatMap((line) => line.trim() || [])
}
