/** A store that keeps objects as files: what the restore benchmark prepares, and its server serves. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Store } from '../agent/context'

type WritingStore = Pick<Store, 'put' | 'createUpload' | 'uploadPart' | 'completeUpload' | 'abortUpload'>

/** @param partBytes - size of all parts but the last: tells where each belongs */
export function fileStore(root: string, partBytes: number): WritingStore {
  const files = new Map<string, number>()
  const open = (key: string): number => {
    mkdirSync(dirname(join(root, key)), { recursive: true })
    return openSync(join(root, key), 'w')
  }
  return {
    async put(key, body) {
      mkdirSync(dirname(join(root, key)), { recursive: true })
      writeFileSync(join(root, key), body)
    },
    async createUpload(key) {
      files.set(key, open(key))
      return { key, uploadId: key }
    },
    async uploadPart({ key }, partNumber, body, crc32) {
      writeSync(files.get(key)!, body, 0, body.length, (partNumber - 1) * partBytes)
      return { partNumber, etag: '0', crc32 }
    },
    async completeUpload({ key }) {
      closeSync(files.get(key)!)
      return { confirmed: true }
    },
    abortUpload: () => Promise.resolve(),
  }
}
