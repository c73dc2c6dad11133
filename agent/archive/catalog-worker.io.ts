/** Catalogs a tar stream, and hashes what is stored of it, on a thread of its own, while the main thread reads and sends. */
import { Worker } from 'node:worker_threads'
import { AgentError, type ErrorCode } from '../errors'
import type { CatalogFrames, CatalogHeader } from './catalog'
import type { OtherLines, StreamSummary } from './catalog-writer.io'
import type { ObjectHash } from '../bucket/upload.io'

/** `workerData` of the thread. */
export interface CatalogWorkerTask {
  readonly role: 'catalog worker'
  readonly header: CatalogHeader
  /** When the snapshot was taken, in seconds since 1970. */
  readonly takenAt?: number
}

/** What the main thread asks of the catalogWorker. Each is answered, in order. */
export type CatalogWorkerRequest =
  | { readonly inspect: SharedBytes }
  | { readonly hash: SharedBytes & { readonly object: number } }
  | { readonly digest: { readonly object: number } }
  | { readonly record: CatalogFrames }
  | { readonly endEntries: true }
  | { readonly finish: { readonly frames: number; readonly others?: OtherLines | undefined } }

interface SharedBytes {
  readonly memory: SharedArrayBuffer
  readonly offset: number
  readonly bytes: number
}

export interface CatalogWorkerAnswer {
  /** The next piece of the compressed catalog; often empty. */
  readonly catalog?: Uint8Array
  readonly summary?: StreamSummary
  readonly sha256?: string
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly hint: string }
}

/** All functions reject with AgentError ARCHIVE_FAILED where the stream is not a complete tar archive. */
export interface CatalogWorker extends AsyncDisposable {
  /** Takes the next piece of the stream, which must lie in shared memory and stay as it is until this resolves. */
  inspect(piece: Buffer): Promise<void>
  /** Adds frames to the catalog. */
  record(frames: CatalogFrames): Promise<void>
  /** Ends the stream: when this resolves, all of its entries are in the catalog, and other frames may follow. */
  endEntries(): Promise<void>
  /** Ends stream and catalog. @param others - how many lines were added behind the entries */
  finish(frames: number, others?: OtherLines): Promise<StreamSummary>
  /** A hash of what it is given, which must lie in shared memory. */
  hash(): ObjectHash
}

/**
 * @param onCatalog - takes the catalog piece by piece, one call at a time; who gives the stream is answered no sooner than it
 * has taken all that came so far, so a slow taker slows the stream down instead of filling the memory
 * @param takenAt - when the snapshot was taken
 */
export function startCatalogWorker(
  header: CatalogHeader,
  onCatalog: (piece: Uint8Array) => Promise<void>,
  takenAt?: Date,
): CatalogWorker {
  const task: CatalogWorkerTask = {
    ...{ role: 'catalog worker', header },
    ...(takenAt && { takenAt: takenAt.getTime() / 1000 }),
  }
  // The agent is one file: the thread runs it again, and `main` sees by the task that it is to inspect.
  const thread = new Worker(__filename, {
    workerData: task,
    // Its garbage is short-lived; Node's default would let 48 MiB of it pile up.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  })
  const waiting: PromiseWithResolvers<CatalogWorkerAnswer>[] = []
  /** Resolves when all that has come of the catalog so far is taken. */
  let taken = Promise.resolve()
  let death: Error | undefined
  let hashes = 0

  const die = (cause?: unknown) => {
    death ??= new AgentError('ARCHIVE_FAILED', 'the thread that inspects the archive ended too early', {
      hint: 'Run the backup again. If it fails again, the host may be out of memory.',
      cause,
    })
    for (const request of waiting.splice(0)) request.reject(death)
  }
  thread.on('message', (answer: CatalogWorkerAnswer) => waiting.shift()?.resolve(answer))
  thread.on('error', die)
  thread.on('exit', () => die())

  async function ask(request: CatalogWorkerRequest): Promise<CatalogWorkerAnswer> {
    if (death) throw death
    const reply = Promise.withResolvers<CatalogWorkerAnswer>()
    waiting.push(reply)
    thread.postMessage(request)
    const answer = await reply.promise
    if (answer.error) throw new AgentError(answer.error.code, answer.error.message, { hint: answer.error.hint })
    return answer
  }

  /** For what adds to the catalog. A hash does not wait for it: the catalog may itself wait for a part to be hashed. */
  async function askAndStore(request: CatalogWorkerRequest): Promise<CatalogWorkerAnswer> {
    const answer = await ask(request)
    // Several requests are on their way at a time: their pieces are taken one after the other, in the order of the stream.
    const { catalog } = answer
    if (catalog?.length) taken = taken.then(() => onCatalog(catalog))
    await taken
    return answer
  }

  return {
    async inspect(piece) {
      await askAndStore({ inspect: sharedBytes(piece) })
    },
    async record(frames) {
      await askAndStore({ record: frames })
    },
    async endEntries() {
      await askAndStore({ endEntries: true })
    },
    async finish(frames, others) {
      const { summary } = await askAndStore({ finish: { frames, others } })
      return summary as StreamSummary
    },
    hash() {
      const object = hashes++
      return {
        async update(part) {
          await ask({ hash: { object, ...sharedBytes(part) } })
        },
        digest: async () => (await ask({ digest: { object } })).sha256 as string,
      }
    },
    async [Symbol.asyncDispose]() {
      await thread.terminate()
    },
  }
}

function sharedBytes({ buffer, byteOffset, length }: Buffer): SharedBytes {
  return { memory: buffer as unknown as SharedArrayBuffer, offset: byteOffset, bytes: length }
}
