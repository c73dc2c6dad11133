import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError } from '../../agent/errors'
import type { Store, WholeObject } from '../../agent/context'

/** Calls that give one answer; lists are left alone. */
export type FaultyCall = Exclude<keyof Store, 'bucket' | 'list' | 'listFolders' | 'listUploads'>

export interface Fault {
  readonly call: FaultyCall
  /** Which call of that kind fails, from 1 on; every one where left out. */
  readonly nth?: number
  /** Only calls for keys with this in them count. */
  readonly key?: string
  /**
   * - `before`: nothing of it reaches the store;
   * - `after`: it is done, but the caller is told that it failed;
   * - `slow`: it takes `seconds` longer, or until it is cancelled;
   * - `truncate`: what is read lacks its last byte;
   * - `flip`: what is read has one wrong bit, each time another.
   */
  readonly kind: 'before' | 'after' | 'slow' | 'truncate' | 'flip'
  readonly error?: AgentError
  readonly seconds?: number
}

const BROKEN = new AgentError('STORE_FAILED', 'the store is broken on purpose', { hint: 'This is a test.' })

/** A store that fails by plan, and otherwise is the given one. */
export function faultyStore<S extends Store>(store: S, ...faults: readonly Fault[]): S {
  const counts = new Map<Fault, number>()
  const faultOf = (call: FaultyCall, args: readonly unknown[]): Fault | undefined => {
    const matching = faults.filter((fault) => fault.call === call && keyOf(args).includes(fault.key ?? ''))
    for (const fault of matching) counts.set(fault, (counts.get(fault) ?? 0) + 1)
    return matching.find((fault) => fault.nth === undefined || fault.nth === counts.get(fault))
  }
  const wrap = (call: FaultyCall) => {
    const original = store[call].bind(store) as (...args: readonly unknown[]) => Promise<unknown>
    return async (...args: readonly unknown[]) => {
      const fault = faultOf(call, args)
      if (fault?.kind === 'before') throw fault.error ?? BROKEN
      if (fault?.kind === 'slow') await slowDown(fault.seconds ?? 0, args)
      const result = await original(...args)
      if (fault?.kind === 'after') throw fault.error ?? BROKEN
      if (fault?.kind === 'flip') return withBytes(result as Buffer | WholeObject, flipBit(counts.get(fault) ?? 1))
      return fault?.kind === 'truncate' ? withBytes(result as Buffer | WholeObject, truncate) : result
    }
  }
  const broken = Object.fromEntries(faults.map(({ call }) => [call, wrap(call)]))
  return { ...store, ...broken }
}

function withBytes(read: Buffer | WholeObject, change: (bytes: Buffer) => Buffer): Buffer | WholeObject {
  return 'body' in read ? { ...read, body: change(read.body) } : change(read)
}

/** @param count - of how many, for bits far from each other */
const flipBit =
  (count: number) =>
  (read: Buffer): Buffer => {
    const flipped = Buffer.from(read)
    flipped[Math.floor(read.length * ((count * 0.618) % 1))]! ^= 1
    return flipped
  }

function truncate(read: Buffer): Buffer {
  return read.subarray(0, -1)
}

async function slowDown(seconds: number, args: readonly unknown[]): Promise<void> {
  const signal = args.find((arg) => arg instanceof AbortSignal)
  await sleep(seconds * 1000, undefined, { ...(signal && { signal }) }).catch(() => undefined)
}

function keyOf([first]: readonly unknown[]): string {
  return typeof first === 'string' ? first : ((first as { readonly key?: string } | undefined)?.key ?? '')
}
