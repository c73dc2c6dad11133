/** Parses manifests: here, or, where there are many, on threads of their own while this one talks to S3. */
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Log } from '../../agent/context'
import type { RunKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { freeNow } from '../../agent/lib/buffers.io'
import { tidyHeap } from '../heap.io'
import { summarizeText, type Unusable } from './parse'
import type { Summary, Wanted } from './summarize'

/** `workerData` of a thread. */
export interface ParserTask {
  readonly role: 'manifest parser'
}

/** What a thread says first. */
export const READY = 'ready'

/** Manifests that go to a thread together: one message for each would cost as much as parsing it. */
export interface ParserBatch {
  readonly bytes: Uint8Array
  readonly items: readonly { readonly runKey: RunKey; readonly wanted: Wanted; readonly end: number }[]
}

export type Parsed = Summary | Unusable

export interface Parser extends AsyncDisposable {
  /** @param body - is gone afterwards */
  parse(body: Buffer, runKey: RunKey, wanted: Wanted): Promise<Parsed>
}

/** What is parsed takes ten times its size, for a moment. */
const TIDY_BYTES = 8 * 1024 ** 2
/** Fewer are parsed before threads have started. */
const MANY = 2000
const BATCH_ITEMS = 32
const BATCH_BYTES = 1024 ** 2
/** For what comes meanwhile. */
const BATCH_MS = 5
const THREADS_MAX = 4
/** A thread loads the whole program first. */
const START_MS = 20_000
/** What is parsed is garbage at once, of ten times its size. */
const HEAP_MIB = { young: 64, old: 512 }

/**
 * @param manifests - how many there will be
 * @param log - told where no thread could be started
 */
export async function openParser(manifests: number, log: Log): Promise<Parser> {
  if (manifests < MANY) return parserHere()
  const threads = Math.min(THREADS_MAX, Math.max(1, availableParallelism() - 1))
  const workers = await Promise.all(Array.from({ length: threads }, startThread))
  const ready = workers.filter((worker) => worker !== undefined)
  if (ready.length > 0) return parserOnThreads(ready)
  log.warn('manifests are parsed without threads, which takes longer')
  return parserHere()
}

function parserHere(): Parser {
  let parsedBytes = 0
  return {
    parse(body, runKey, wanted) {
      parsedBytes += body.length
      if (parsedBytes > TIDY_BYTES) {
        parsedBytes = 0
        tidyHeap()
      }
      const json = body.toString()
      freeNow(body)
      return Promise.resolve(summarizeText(json, runKey, wanted))
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

interface Waiting {
  readonly runKey: RunKey
  readonly wanted: Wanted
  readonly body: Buffer
  readonly answer: PromiseWithResolvers<Parsed>
}

function parserOnThreads(workers: readonly ParserThread[]): Parser {
  let begun: Waiting[] = []
  let begunBytes = 0
  let timer: NodeJS.Timeout | undefined

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const batch = begun
    begun = []
    begunBytes = 0
    const [idlest] = workers.toSorted((a, b) => a.waiting() - b.waiting())
    if (batch.length > 0) idlest?.parse(batch)
  }

  return {
    parse(body, runKey, wanted) {
      const answer = Promise.withResolvers<Parsed>()
      begun.push({ runKey, wanted, body, answer })
      begunBytes += body.length
      if (begun.length >= BATCH_ITEMS || begunBytes >= BATCH_BYTES) flush()
      else timer ??= setTimeout(flush, BATCH_MS)
      return answer.promise
    },
    async [Symbol.asyncDispose]() {
      clearTimeout(timer)
      await Promise.all(workers.map(({ stop }) => stop()))
    },
  }
}

interface ParserThread {
  waiting(): number
  parse(batch: readonly Waiting[]): void
  readonly stop: () => Promise<unknown>
}

/** Undefined where it does not say that it is there: then the file that was run does not know of the task. */
async function startThread(): Promise<ParserThread | undefined> {
  const task: ParserTask = { role: 'manifest parser' }
  // The program is one file: the thread runs it again, which sees by the task what it is to do.
  const thread = new Worker(__filename, {
    workerData: task,
    resourceLimits: { maxYoungGenerationSizeMb: HEAP_MIB.young, maxOldGenerationSizeMb: HEAP_MIB.old },
  })
  thread.unref()
  const [greeting] = (await once(thread, 'message', { signal: AbortSignal.timeout(START_MS) }).catch(
    () => [],
  )) as unknown[]
  if (greeting === READY) return useThread(thread)
  await thread.terminate()
  return undefined
}

function useThread(thread: Worker): ParserThread {
  const batches: (readonly Waiting[])[] = []
  let failure: Error | undefined
  const fail = (error: Error): void => {
    // No manifest is known to be bad by it: they are asked for again.
    failure ??= new AgentError('INTERNAL', error.message, {
      hint: 'Look for manifests of unusual size in the bucket.',
      cause: error,
    })
    for (const { answer } of batches.splice(0).flat()) answer.reject(failure)
  }
  thread.on('message', (parsed: readonly Parsed[]) => {
    batches.shift()?.forEach(({ answer }, index) => answer.resolve(parsed[index] as Parsed))
  })
  thread.on('error', fail)
  thread.on('exit', (status) => fail(new Error(`a thread that parses manifests ended with status ${status}`)))
  return {
    // One that has ended is never idle: it would be given all that others could do.
    waiting: () => (failure ? Infinity : batches.length),
    parse(batch) {
      batches.push(batch)
      if (failure) {
        fail(failure)
        return
      }
      let end = 0
      const items = batch.map(({ runKey, wanted, body }) => ({ runKey, wanted, end: (end += body.length) }))
      const bytes = new Uint8Array(end)
      let start = 0
      for (const { body } of batch) {
        bytes.set(body, start)
        start += body.length
        freeNow(body)
      }
      const message: ParserBatch = { bytes, items }
      thread.postMessage(message, [bytes.buffer])
    },
    stop: () => thread.terminate(),
  }
}
