import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { Agent } from 'node:http'
import { connect } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3'
import {
  createBucket,
  guestEndpoint,
  plainClient,
  startMoto,
  startRadosgw,
  startSeaweedfs,
  testServers,
  type Server,
} from './index'

jest.setTimeout(120_000)

const isUp = (endpoint: string) =>
  fetch(endpoint).then(
    () => true,
    () => false,
  )

test.each([
  ['radosgw', startRadosgw],
  ['seaweedfs', startSeaweedfs],
  ['moto', startMoto],
])('another %s runs beside the first, and leaves nothing behind', async (_, start) => {
  const server = await start()
  const bucket = await createBucket(server, { versioned: true })
  await plainClient(server).send(new PutObjectCommand({ Bucket: bucket, Key: 'a', Body: 'x' }))
  await server.stop()
  expect(await isUp(server.endpoint)).toBe(false)
  expect(existsSync(server.directory)).toBe(false)
})

test.each(['radosgw', 'seaweedfs'] as const)('a guest reaches %s by the address that it sees', async (name) => {
  const server = testServers()[name]
  const Bucket = await createBucket(server)
  // What the guest's network does with connections to 10.0.2.2; the requests still say that address.
  const httpAgent = new Agent()
  httpAgent.createConnection = () => connect(Number(new URL(server.endpoint).port), '127.0.0.1')
  const client = plainClient(server, { endpoint: guestEndpoint(server), requestHandler: { httpAgent } })
  await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }))
  expect(await client.send(new ListObjectsV2Command({ Bucket }))).toMatchObject({ KeyCount: 1 })
})

test('servers end with the process that started them, even where it is killed', async () => {
  const start = `require('./index.ts').startSeaweedfs().then((server) => console.log(JSON.stringify(server)))`
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', start], { cwd: resolve(__dirname) })
  const [printed] = (await once(child.stdout, 'data')) as [Buffer]
  const { endpoint, directory } = JSON.parse(printed.toString()) as Server
  expect(await isUp(endpoint)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  while (await isUp(endpoint)) await sleep(50)
  rmSync(directory, { recursive: true })
})
