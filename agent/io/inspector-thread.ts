/** The inspector's own side: what runs in its thread. */
import { createHash } from 'node:crypto'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { zstdCompressSync } from 'node:zlib'
import { AgentError } from '../errors'
import { formatCatalogEntry, formatCatalogLine, type CatalogHeader } from '../plan/catalog'
import { scanTar } from '../plan/tar-scanner'
import type { InspectorAnswer, InspectorRequest, InspectorTask } from './inspector'

/** The catalog is compressed in pieces of this many characters: larger ones are hardly any smaller afterwards. */
const CATALOG_PIECE_CHARACTERS = 1024 * 1024

/**
 * To be called before anything else by the program's entry point.
 *
 * @returns true if this is the inspector's thread; the program then has nothing else to do
 */
export function runInspectorIfAsked(): boolean {
  const port = parentPort
  const task = workerData as InspectorTask | undefined
  if (isMainThread || !port || task?.role !== 'inspector') return false
  const answer = startInspection(task.header)
  port.on('message', (request: InspectorRequest) => port.postMessage(answer(request)))
  return true
}

/** @returns the function that answers requests, in the order in which they come */
export function startInspection(header: CatalogHeader): (request: InspectorRequest) => InspectorAnswer {
  const hash = createHash('sha256')
  let text = formatCatalogLine(header)
  let frameLines = '' // they come after the entries: some 10 MiB for a TiB of archive
  const scanner = scanTar((entry) => {
    text += formatCatalogEntry(entry)
  })
  const takeCatalog = () => {
    const catalog = zstdCompressSync(text)
    text = ''
    return catalog
  }

  function carryOut(request: InspectorRequest): InspectorAnswer {
    if ('finish' in request) {
      const inspection = { ...scanner.finish(), sha256: hash.digest('hex') }
      text += frameLines + formatCatalogLine({ end: true, ...inspection, frames: request.finish.frames })
      return { inspection, catalog: takeCatalog() }
    }
    if ('record' in request) {
      frameLines += formatCatalogLine(request.record)
    } else {
      const { memory, offset, bytes } = request.inspect
      const piece = Buffer.from(memory, offset, bytes)
      hash.update(piece)
      scanner.push(piece)
    }
    return text.length < CATALOG_PIECE_CHARACTERS ? {} : { catalog: takeCatalog() }
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
