/** Servers for the tests and the demo, most of them real: started here, used through their endpoints, stopped by who started. */
import { randomBytes } from 'node:crypto'
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { run } from './daemon'
import type { Server } from './server'

export { startEc2 } from './ec2'
export { startMoto } from './moto'
export { startRadosgw } from './radosgw'
export { startSeaweedfs } from './seaweedfs'
export { guestEndpoint, type RunningServer, type Server } from './server'

/** The servers that run for all tests of the `system` project. */
export interface TestServers {
  readonly radosgw: Server
  readonly seaweedfs: Server
}

/** How the global set-up hands the servers to the tests, which run in processes of their own. */
export const SERVERS_VARIABLE = 'SNAPSTREAM_TEST_SERVERS'

/** The servers that the `system` project of jest has started. */
export function testServers(): TestServers {
  const servers = process.env[SERVERS_VARIABLE]
  if (servers === undefined) throw new Error('the S3 servers run in the system project only: --selectProjects system')
  return JSON.parse(servers) as TestServers
}

/** A client without any of the agent's ways, for tests to prepare buckets and to look at what the agent did. */
export function plainClient(server: Server, more: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: server.endpoint,
    region: server.region,
    credentials: server,
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A server of the tests that stalls is asked again, and does not end the patience of the test.
    requestHandler: { requestTimeout: 30_000, throwOnRequestTimeout: true },
    ...more,
  })
}

/** Makes a bucket with a name of its own, and returns the name. */
export async function createBucket(server: Server, options?: { readonly versioned: boolean }): Promise<string> {
  const client = plainClient(server)
  const bucket = `snapstream-${randomBytes(6).toString('hex')}`
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  if (options?.versioned) {
    const enabled = { Status: 'Enabled' } as const
    await client.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: enabled }))
  }
  client.destroy()
  return bucket
}

/** Administers a radosgw: users, keys, lifecycle runs. */
export function radosgwAdmin(server: Server, ...args: readonly string[]): Promise<string> {
  return run('radosgw-admin', '--conf', `${server.directory}/ceph.conf`, ...args)
}
