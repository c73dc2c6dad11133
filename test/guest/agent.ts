/** The bundle that ships, run in a guest against a real S3 server. */
import { resolve } from 'node:path'
import { createBucket, guestEndpoint, plainClient, type Server } from '../servers/index'
import { parseLastLine } from '../support/last-line'
import type { Guest } from './guest'
import type { CommandOptions, GuestCommand } from './guest-link'
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'

export const BUNDLE = resolve(__dirname, '../../dist/agent.cjs')

export interface AgentResult {
  readonly status: number | null
  readonly summary: string
  /** The last line of standard output. */
  readonly json: any // eslint-disable-line @typescript-eslint/no-explicit-any -- each test knows its own
  readonly stderr: string
}

/** A host called `guest` and a bucket of its own. */
export interface Installation {
  readonly bucket: string
  run(command: string, ...options: readonly string[]): Promise<AgentResult>
  start(command: string, ...options: readonly string[]): GuestCommand
  /** As `start`, with what the guest's Node loads first. */
  startWith(preload: string, command: string, ...options: readonly string[]): GuestCommand
  /** All keys in the bucket. */
  keys(): Promise<string[]>
  read(key: string): Promise<Buffer>
  unfinishedUploads(): Promise<string[]>
  /** What bears Snapstream's marks on the host and in the bucket: snapshots, mounts, unfinished uploads. */
  leftovers(): Promise<string[]>
}

/** @param more - what each command has besides, in its environment */
export async function installAgent(
  guest: Guest,
  server: Server,
  more: { readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Installation> {
  const bucket = await createBucket(server, { versioned: true })
  const client = plainClient(server)
  const place = [
    '--bucket',
    bucket,
    '--endpoint-url',
    guestEndpoint(server),
    '--region',
    server.region,
    '--host',
    'guest',
  ]
  const start = (command: string, options: readonly string[], commandOptions: CommandOptions = {}): GuestCommand => {
    const started = guest.start(['node', BUNDLE, command, ...place, ...options], {
      timeoutSeconds: 300, // what hangs is waited for, and given up
      ...commandOptions,
      environment: {
        ...{ AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
        ...more.environment,
        ...commandOptions.environment,
      },
    })
    const ended = started.ended.then((result) => {
      parseLastLine(command, result.stdout)
      return result
    })
    ended.catch(() => undefined) // whoever waits for it is told
    return { ...started, ended }
  }
  const unfinishedUploads = async () => {
    const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
    return Uploads.map(({ Key }) => Key ?? '')
  }
  return {
    bucket,
    start: (command, ...options) => start(command, options),
    startWith: (preload, command, ...options) =>
      start(command, options, { environment: { NODE_OPTIONS: `--require ${preload}` } }),
    async run(command, ...options) {
      const { status, stdout, stderr } = await start(command, options).ended
      const lines = stdout.trimEnd().split('\n')
      return {
        status,
        summary: lines.slice(0, -1).join('\n'),
        json: parseLastLine(command, stdout),
        stderr,
      }
    },
    async keys() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }))
      return Contents.map(({ Key }) => Key ?? '')
    },
    read: (key) => readObject(client, bucket, key),
    unfinishedUploads,
    async leftovers() {
      const snapshots = await guest.run([
        'lvs',
        '--noheadings',
        '-o',
        'lv_full_name',
        '-S',
        'lv_name =~ "^snapstream_"',
      ])
      const mounts = await guest.run(['findmnt', '--list', '--noheadings', '--output', 'TARGET'])
      return [
        ...words(snapshots),
        ...words(mounts).filter((target) => target.startsWith('/run/snapstream')),
        ...(await unfinishedUploads()),
      ]
    },
  }
}

async function readObject(client: S3Client, bucket: string, key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
