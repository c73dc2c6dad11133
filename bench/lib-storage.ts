/** What the AWS SDK offers for uploading a stream, with its defaults: `tar … | node lib-storage.cjs ENDPOINT_URL`. */
import { S3Client } from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'

const client = new S3Client({
  endpoint: process.argv[2]!,
  region: 'us-east-1',
  forcePathStyle: true,
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
})

void new Upload({ client, params: { Bucket: 'bench', Key: 'data/bench/archive', Body: process.stdin } })
  .done()
  .then(() => process.exit(0))
