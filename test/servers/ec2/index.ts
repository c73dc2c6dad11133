/** A stand-in for what EC2 has of EBS: see README.md. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { makeDirectory } from '../daemon'
import { SETTINGS, type Account, type Settings } from './account'
import { settleAttachments } from './attachments'
import { makeFaults, type Fault } from './faults'
import { launchInstance, type LaunchedInstance, type LaunchOptions } from './launch'
import { respond, type RecordedRequest, type Service } from './respond'

export { HANG_UP, type Fault } from './faults'
export type { LaunchedInstance, LaunchOptions } from './launch'
export type { Machine } from './machine'
export type { RecordedRequest } from './respond'
export type { Settings } from './account'

/** How often disks that are on their way are looked at, whether somebody asks or not. */
const SETTLE_SECONDS = 0.05
const SIGNER = { region: 'us-east-1', accessKeyId: 'EC2TESTKEY', secretAccessKey: 'ec2-test-secret' }

export interface Ec2Options {
  readonly settings?: Partial<Settings>
  /** In milliseconds since 1970; the system's clock unless told. */
  readonly now?: () => number
  /** Whose requests are answered, where another server has to know the same. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export interface RunningEc2 extends AsyncDisposable {
  /** On this host's loopback interface. Guests reach it at `guestEndpoint`. */
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly requests: readonly RecordedRequest[]
  launch(options: LaunchOptions): Promise<LaunchedInstance>
  /** Changes how it behaves from now on, also towards what is on its way. */
  configure(changes: Partial<Settings>): void
  inject(fault: Fault): void
  /** Ends it, and removes the files of its volumes and snapshots. */
  stop(): Promise<void>
}

export async function startEc2(options: Ec2Options = {}): Promise<RunningEc2> {
  const directory = await makeDirectory('ec2')
  const service = makeService(directory.path, options)
  const { signer } = service
  const { account, faults, oneByOne, requests } = service
  const server = createServer((request, response) => {
    respond(service, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // What fails here fails again with the next request, which says so.
  const settle = () => void oneByOne(() => settleAttachments(account)).catch(() => undefined)
  const timer = setInterval(settle, SETTLE_SECONDS * 1000).unref()
  const stop = async () => {
    clearInterval(timer)
    server.close()
    server.closeAllConnections()
    await oneByOne(async () => directory.remove())
  }
  return {
    ...{ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, ...signer },
    requests,
    launch: (launchOptions) => oneByOne(() => launchInstance(account, launchOptions)),
    configure(changes) {
      account.settings = { ...account.settings, ...changes }
    },
    inject: (fault) => faults.inject(fault),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function makeService(directory: string, { settings, now = Date.now, credentials }: Ec2Options): Service {
  const account: Account = {
    ...{ directory, now, settings: { ...SETTINGS, ...settings } },
    ...{ instances: new Map(), volumes: new Map(), snapshots: new Map(), clientTokens: new Map() },
  }
  let last: Promise<unknown> = Promise.resolve()
  const { accessKeyId, secretAccessKey } = credentials ?? SIGNER
  return {
    ...{ account, signer: { ...SIGNER, accessKeyId, secretAccessKey }, faults: makeFaults(), requests: [] },
    oneByOne(work) {
      const result = last.then(work)
      last = result.catch(() => undefined)
      return result
    },
  }
}
