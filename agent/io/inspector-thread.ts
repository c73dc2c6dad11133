/** The inspector's own side: what runs in its thread. */
import { createHash } from 'node:crypto'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { zstdCompressSync } from 'node:zlib'
import { AgentError } from '../errors'
import { formatCatalogEntry, formatCatalogLine, type CatalogHeader } from '../plan/catalog'
import { scanTar } from '../plan/tar-scanner'
import type { InspectorAnswer, InspectorRequest, InspectorTask } from './inspector'

/** The catalog is compressed in pieces of this size: larger ones are hardly any smaller afterwards. */
const CATALOG_PIECE_BYTES = 1024 * 1024

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
  const catalog = catalogText()
  let frameLines = '' // they come after the entries: some 10 MiB for a TiB of archive
  catalog.add(formatCatalogLine(header))
  const scanner = scanTar((entry) => catalog.add(formatCatalogEntry(entry)))

  function carryOut(request: InspectorRequest): InspectorAnswer {
    if ('finish' in request) {
      const inspection = { ...scanner.finish(), sha256: hash.digest('hex') }
      catalog.add(frameLines)
      catalog.add(formatCatalogLine({ end: true, ...inspection, frames: request.finish.frames }))
      catalog.compress()
      return { inspection, catalog: catalog.take() }
    }
    if ('record' in request) {
      frameLines += formatCatalogLine(request.record)
    } else {
      const { memory, offset, bytes } = request.inspect
      const piece = Buffer.from(memory, offset, bytes)
      hash.update(piece)
      scanner.push(piece)
    }
    return { catalog: catalog.take() }
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

/** The catalog's text, written straight into a buffer: millions of short strings would be a lot of garbage. */
function catalogText() {
  const text = Buffer.allocUnsafeSlow(CATALOG_PIECE_BYTES)
  let textBytes = 0
  let compressed: Buffer[] = []

  const compress = () => {
    if (textBytes > 0) compressed.push(zstdCompressSync(text.subarray(0, textBytes)))
    textBytes = 0
  }
  return {
    add(lines: string): void {
      const bytesMax = lines.length * 3 // UTF-8 takes no more
      if (textBytes + bytesMax > text.length) compress()
      if (bytesMax > text.length) compressed.push(zstdCompressSync(lines))
      else textBytes += text.write(lines, textBytes)
    },
    compress,
    /** What was compressed since the last time, as complete frames. */
    take(): Buffer {
      const pieces = compressed
      compressed = []
      return Buffer.concat(pieces)
    },
  }
}
