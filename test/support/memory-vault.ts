import { setImmediate as nextTurn } from 'node:timers/promises'
import { AgentError } from '../../agent/errors'
import { assertRewritable } from '../../fleet/vault.io'
import { memoryStore, type MemoryStore } from './memory-store'
import type { StorageRule, Vault } from '../../fleet/vault'

/** A vault in memory, with its content open to tests. */
export interface MemoryVault extends Vault {
  readonly store: MemoryStore
  /** Keys of the objects that bear the tag of superseded ones. */
  readonly superseded: Set<string>
  /** Keys that were written, in order: each as often as it was. */
  readonly written: string[]
  /** What `readRules` finds. */
  rules: readonly StorageRule[]
}

/** @param now - when what is written is written; the store has a clock of its own */
export function memoryVault({
  store = memoryStore(),
  rules = [],
  now = () => new Date(),
}: {
  readonly store?: MemoryStore
  readonly rules?: readonly StorageRule[]
  readonly now?: () => Date
} = {}): MemoryVault {
  return {
    store,
    superseded: new Set(),
    written: [],
    rules,

    async write(key, body, _contentType, signal) {
      assertRewritable(key)
      await arrive(signal)
      const pieces: Uint8Array[] = []
      if (body instanceof Uint8Array) pieces.push(body)
      else for await (const piece of body) pieces.push(piece)
      await arrive(signal)
      store.objects.set(key, { body: Buffer.concat(pieces), storageClass: 'STANDARD', lastModified: now() })
      this.written.push(key)
    },

    async tagSuperseded(key, signal) {
      await arrive(signal)
      if (store.objects.has(key)) this.superseded.add(key)
    },

    async untagSuperseded(key, signal) {
      await arrive(signal)
      this.superseded.delete(key)
    },

    async isSuperseded(key, signal) {
      await arrive(signal)
      return store.objects.has(key) && this.superseded.has(key)
    },

    async readRules(signal) {
      await arrive(signal)
      return this.rules
    },
  }
}

async function arrive(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await nextTurn()
  if (!signal.aborted) return
  const hint = 'This is the vault in memory.'
  throw new AgentError('INTERRUPTED', 'the request was stopped before it finished', { hint })
}
