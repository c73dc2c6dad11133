/** The catalogWorker's own side: what runs in its thread. */
import { createHash, type Hash } from 'node:crypto'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { AgentError } from '../errors'
import { writeCatalog } from './catalog-writer.io'
import type { CatalogWorkerAnswer, CatalogWorkerRequest, CatalogWorkerTask } from './catalog-worker.io'

/**
 * To be called before anything else by the program's entry point.
 *
 * @returns true if this is the catalogWorker's thread; the program then has nothing else to do
 */
export function runCatalogWorkerIfAsked(): boolean {
  const port = parentPort
  const task = workerData as CatalogWorkerTask | undefined
  if (isMainThread || !port || task?.role !== 'catalog worker') return false
  const answer = startCatalog(task)
  port.on('message', (request: CatalogWorkerRequest) => port.postMessage(answer(request)))
  return true
}

/** @returns the function that answers requests, in the order in which they come */
function startCatalog({ header, takenAt }: CatalogWorkerTask): (request: CatalogWorkerRequest) => CatalogWorkerAnswer {
  const writer = writeCatalog(header, takenAt)
  const hashes = new Map<number, Hash>()
  const hashOf = (object: number): Hash => {
    const hash = hashes.get(object) ?? createHash('sha256')
    hashes.set(object, hash)
    return hash
  }

  function carryOut(request: CatalogWorkerRequest): CatalogWorkerAnswer {
    if ('finish' in request) {
      const { frames, others } = request.finish
      const summary = writer.finish(frames, others)
      return { summary, catalog: writer.take() }
    }
    if ('digest' in request) return { sha256: hashOf(request.digest.object).digest('hex') }
    if ('hash' in request) {
      const { object, memory, offset, bytes } = request.hash
      hashOf(object).update(Buffer.from(memory, offset, bytes))
      return {}
    }
    if ('record' in request) {
      writer.record(request.record)
    } else if ('endEntries' in request) {
      writer.endEntries()
    } else {
      const { memory, offset, bytes } = request.inspect
      writer.inspect(Buffer.from(memory, offset, bytes))
    }
    return { catalog: writer.take() }
  }

  return (request) => {
    try {
      return carryOut(request)
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      return { error: { code: error.code, message: error.message, hint: error.hint } }
    }
  }
}
