/**
 * An S3 server that only gives: files of a directory, whole or in ranges, in a process of its own.
 *
 * `node source.cjs DIRECTORY [LATENCY_MS] [BYTES_PER_SECOND]` prints its port. The latency is added to each answer, the
 * rate limits each connection.
 */
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const SLICE_BYTES = 512 * 1024
const [root = '', ...numbers] = process.argv.slice(2)
const [latencyMs = 0, bytesPerSecond = Infinity] = numbers.map(Number)

const server = createServer((request, response) => {
  void answer(request, response).catch(() => response.destroy())
})

async function answer({ method, url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
  if (latencyMs > 0) await sleep(latencyMs)
  const [, , ...key] = decodeURIComponent(url.split('?')[0] ?? '').split('/')
  const path = join(root, ...key)
  const size = statSync(path, { throwIfNoEntry: false })?.size
  if (size === undefined) return void response.writeHead(404).end()
  const [, first, last] = /bytes=(\d+)-(\d*)/.exec(headers.range ?? '') ?? []
  const from = Number(first ?? 0)
  const to = last ? Number(last) : size - 1
  response.writeHead(headers.range === undefined ? 200 : 206, {
    'content-length': to - from + 1,
    'content-range': `bytes ${from}-${to}/${size}`,
    'last-modified': 'Sat, 31 Jan 2026 02:00:00 GMT',
    etag: '"0"',
  })
  if (method === 'HEAD') return void response.end()
  await send(path, from, to - from + 1, response)
}

async function send(path: string, from: number, bytes: number, response: ServerResponse): Promise<void> {
  const file = openSync(path, 'r')
  const startedAt = performance.now()
  let wake: (() => void) | undefined
  for (const event of ['drain', 'close']) response.on(event, () => wake?.())
  try {
    for (let sent = 0; sent < bytes && !response.destroyed;) {
      const slice = Buffer.allocUnsafeSlow(Math.min(SLICE_BYTES, bytes - sent))
      readSync(file, slice, 0, slice.length, from + sent)
      sent += slice.length
      if (!response.write(slice)) await new Promise<void>((resolve) => (wake = resolve))
      const early = (sent / bytesPerSecond) * 1000 - (performance.now() - startedAt)
      if (early > 1) await sleep(early)
    }
    response.end()
  } finally {
    closeSync(file)
  }
}

server.listen(0, '127.0.0.1', () => {
  console.log((server.address() as { port: number }).port)
})
