/** The other side of the threads that parse manifests. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { freeNow } from '../../agent/lib/buffers.io'
import { READY, type ParserBatch, type ParserTask } from './parser.io'
import { summarizeText } from './parse'

/** Whether this is such a thread: then it is at work, and there is nothing else to do. */
export function runManifestParserIfAsked(): boolean {
  const task = workerData as Partial<ParserTask> | null
  if (isMainThread || task?.role !== 'manifest parser' || !parentPort) return false
  const port = parentPort
  port.on('message', ({ bytes, items }: ParserBatch) => {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let start = 0
    const parsed = items.map(({ runKey, wanted, end }) => {
      const json = text.toString('utf8', start, end)
      start = end
      return summarizeText(json, runKey, wanted)
    })
    freeNow(text)
    port.postMessage(parsed)
  })
  port.postMessage(READY)
  return true
}
