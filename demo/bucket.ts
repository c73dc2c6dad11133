/** The bucket as anybody may look at it, with a plain S3 client and with curl. */
import { ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import type { Guest } from '../test/guest/guest'
import { createBucket, guestEndpoint, plainClient, type Server } from '../test/servers/index'

/** For a volume of some hundred megabytes. */
const SHELL_TIMEOUT_SECONDS = 300

export interface Bucket {
  readonly name: string
  /** As the guest sees it. */
  readonly endpoint: string
  readonly region: string
  /** Credentials, in the variables that every AWS tool reads. */
  readonly environment: Readonly<Record<string, string>>
  /** Keys and sizes of all objects, in key order. */
  listObjects(): Promise<{ readonly key: string; readonly sizeBytes: number }[]>
  /** Keys of uploads that were begun and neither completed nor aborted. */
  listUnfinishedUploads(): Promise<string[]>
}

export async function makeBucket(server: Server): Promise<Bucket> {
  const name = await createBucket(server, { versioned: true })
  const client = plainClient(server)
  return {
    name,
    endpoint: guestEndpoint(server),
    region: server.region,
    environment: { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
    async listObjects() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: name }))
      return Contents.map(({ Key = '', Size = 0 }) => ({ key: Key, sizeBytes: Size }))
    },
    async listUnfinishedUploads() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: name }))
      return Uploads.map(({ Key = '' }) => Key)
    },
  }
}

/** A plain GET, as a line for a shell; the credentials come from the environment. */
export function getCommand(bucket: Bucket, key: string): string {
  const signature = `--aws-sigv4 aws:amz:${bucket.region}:s3 --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"`
  const payload = `--header 'x-amz-content-sha256: UNSIGNED-PAYLOAD'` // S3 wants it signed, and curl leaves it out
  return `curl --silent --show-error --fail ${signature} ${payload} ${bucket.endpoint}/${bucket.name}/${key}`
}

/** What reads a volume back without Snapstream, as a line for a shell. */
export function restoreCommand(bucket: Bucket, keys: readonly string[], directory: string): string {
  const download = keys.map((key) => getCommand(bucket, key)).join('; ')
  const extract = [
    `tar --extract --directory ${directory} --record-size=1M --numeric-owner --same-owner --same-permissions`,
    `--acls --selinux --xattrs --xattrs-include='*'`,
  ].join(' ')
  return `${keys.length > 1 ? `{ ${download}; }` : download} | zstd -d | ${extract}`
}

/** Runs such lines in the guest; returns what they print. */
export function runShell(guest: Guest, bucket: Bucket, line: string): Promise<string> {
  return guest.run(['bash', '-o', 'pipefail', '-ec', line], {
    environment: bucket.environment,
    timeoutSeconds: SHELL_TIMEOUT_SECONDS,
  })
}
