/** A store in front of a server that plays a part. */
import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { SYSTEM_CLOCK } from '../../agent/bucket/retries.io'
import { s3Store } from '../../agent/bucket/store.io'
import type { Store } from '../../agent/context'
import { scriptedS3, success, type ScriptedS3, type Step } from '../support/scripted-s3'

export const signal = new AbortController().signal
export const KEY = 'data/daily/host/run/vg0-root.tar.zst'
export const UPLOAD = { key: KEY, uploadId: 'the-upload' }
export const BODY = randomBytes(300_000)
export const WHOLE = { sizeBytes: BODY.length, crc32: crc32(BODY) }
export const PARTS = [{ partNumber: 1, etag: '"1"', crc32: WHOLE.crc32 }]

export const FREE = { status: 404 }
export const STORED = success('', {
  'content-length': String(BODY.length),
  'x-amz-checksum-crc32': encode(WHOLE.crc32),
})
export const PART_STORED = success('', { etag: '"1"' })

export interface Scene {
  storeAt(script: Parameters<typeof scriptedS3>[0], clock?: typeof SYSTEM_CLOCK): Promise<Store>
  /** Of the last store. */
  readonly server: ScriptedS3
  readonly debugged: readonly string[]
}

/** To be called at the top of a test file: a server for each of its tests. */
export function scene(): Scene {
  let server: ScriptedS3
  let debugged: string[] = []
  afterEach(() => server[Symbol.asyncDispose]())
  return {
    get server() {
      return server
    },
    get debugged() {
      return debugged
    },
    async storeAt(script, clock = SYSTEM_CLOCK) {
      server = await scriptedS3(script)
      debugged = []
      return s3Store({
        bucket: 'backups',
        region: 'eu-west-1',
        endpointUrl: server.url,
        credentials: async () => ({ accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'secret' }),
        log: { debug: (message) => debugged.push(message), info: () => undefined, warn: () => undefined },
        clock,
      })
    },
  }
}

export function lengthOnly(bytes: number): Step {
  return success('', { 'content-length': String(bytes) })
}

export function encode(checksum: number): string {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(checksum)
  return bytes.toString('base64')
}
