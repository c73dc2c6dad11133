import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts, inVirtualEnvironment, makeDirectory, startDaemon, waitForHttp } from './daemon'
import type { RunningServer } from './server'

const ACCESS_KEY_ID = 'SEAWEEDFSTESTKEY'
const SECRET_ACCESS_KEY = 'seaweedfs-test-secret'

/**
 * Starts SeaweedFS, which verifies the checksum of every part and of the whole object, and enforces `If-None-Match`
 * on PutObject and on CompleteMultipartUpload, as S3 does. Signatures are
 * checked.
 */
export async function startSeaweedfs(): Promise<RunningServer> {
  const weed = inVirtualEnvironment('weed')
  const directory = await makeDirectory('seaweedfs')
  const data = join(directory.path, 'data')
  const identities = join(directory.path, 'identities.json')
  await mkdir(data)
  await writeFile(identities, formatIdentities())
  const [s3 = 0, s3Grpc = 0, master = 0, masterGrpc = 0, volume = 0, volumeGrpc = 0, filer = 0, filerGrpc = 0] =
    await freePorts(8)
  const daemon = startDaemon(
    [
      ...[weed, '-logtostderr=true', 'server', `-dir=${data}`, '-ip=127.0.0.1', '-ip.bind=127.0.0.1'],
      ...['-s3', `-s3.port=${s3}`, `-s3.port.grpc=${s3Grpc}`, `-s3.config=${identities}`],
      // An upload to a bucket that does not exist is refused, as by S3.
      ...['-s3.autoCreateBucket=false', '-s3.port.iceberg=0', '-s3.port.lance=0'],
      ...[`-master.port=${master}`, `-master.port.grpc=${masterGrpc}`, '-master.telemetry=false'],
      ...[`-volume.port=${volume}`, `-volume.port.grpc=${volumeGrpc}`],
      // Each bucket takes some; as many as fit on the disk, which is what 0 means, were not enough for all tests.
      '-volume.max=1000',
      ...['-filer', `-filer.port=${filer}`, `-filer.port.grpc=${filerGrpc}`, '-master.volumeSizeLimitMB=1024'],
      ...[`-filer.localSocket=${join(directory.path, 'filer')}`, `-s3.localSocket=${join(directory.path, 's3')}`],
    ],
    join(directory.path, 'weed.log'),
  )
  const stop = async () => {
    await daemon.stop()
    directory.remove()
  }
  const endpoint = `http://127.0.0.1:${s3}`
  try {
    await waitForHttp(endpoint, daemon)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name: 'seaweedfs',
    endpoint,
    region: 'us-east-1',
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    directory: directory.path,
    stop,
  }
}

function formatIdentities(): string {
  const credentials = [{ accessKey: ACCESS_KEY_ID, secretKey: SECRET_ACCESS_KEY }]
  return JSON.stringify({ identities: [{ name: 'test', credentials, actions: ['Admin', 'Read', 'Write', 'List'] }] })
}
