/** Runs a document on the machine it is started on: reads an order from standard input, writes the result. */
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { text } from 'node:stream/consumers'
import { runDocument, type Invocation } from './runner'

export interface Order extends Omit<Invocation, 'download' | 'signal'> {
  readonly s3: {
    readonly endpoint: string
    readonly region: string
    readonly accessKeyId: string
    readonly secretAccessKey: string
  }
}

async function main(): Promise<void> {
  const { s3, ...invocation } = JSON.parse(await text(process.stdin)) as Order
  const client = new S3Client({ endpoint: s3.endpoint, region: s3.region, credentials: s3, forcePathStyle: true })
  const cancellation = new AbortController()
  process.once('SIGTERM', () => cancellation.abort())
  const result = await runDocument({
    ...invocation,
    signal: cancellation.signal,
    download: async (bucket, key) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      if (!Body) throw new Error(`${key} has no content`)
      return Buffer.from(await Body.transformToByteArray())
    },
  })
  console.log(JSON.stringify(result))
}

void main()
