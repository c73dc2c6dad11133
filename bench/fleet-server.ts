/**
 * An S3 server with a fleet's bucket, in a process of its own: `node fleet-server.cjs HOSTS RUNS` prints its port. Manifests and
 * listings are worked out as they are asked for; what is written is kept in memory.
 *
 * `GET /-/requests` answers what was asked for since it was asked last, `GET /-/night?hosts=N` gives that many hosts one more run.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { fleetObjects, type FleetObject } from './fleet-objects'

const PAGE_OBJECTS = 1000
const [hosts = 5000, runs = 35] = process.argv.slice(2).map(Number)
const fleet = fleetObjects({ hosts, runs }, Date.now())
const written = new Map<string, Buffer>()
const parts = new Map<string, Buffer[]>()
let requests: Record<string, number> = {}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error)
    response.destroy()
  })
})

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, 'http://localhost')
  const { searchParams: query } = url
  if (url.pathname === '/-/requests') {
    response.end(JSON.stringify(requests))
    requests = {}
    return
  }
  if (url.pathname === '/-/night') {
    fleet.addNight(Number(query.get('hosts')))
    response.end('{}')
    return
  }
  const key = decodeURIComponent(url.pathname.split('/').slice(2).join('/'))
  const operation = operationOf(request.method!, key, query)
  requests[operation] = (requests[operation] ?? 0) + 1
  if (operation.startsWith('List')) sendXml(response, key === '' ? listPage(query) : '')
  else if (operation.startsWith('Get')) sendObject(response, key, request.headers.range)
  else if (operation.startsWith('Head')) sendHead(response, key)
  else await write(request, response, key, query)
}

function operationOf(method: string, key: string, query: URLSearchParams): string {
  if (method === 'GET' && key === '')
    return query.has('versioning') ? 'GetBucketVersioning' : `List ${query.get('prefix')!.split('/')[0]}`
  if (method === 'GET') return `Get ${key.split('/')[0]}`
  return `${method === 'HEAD' ? 'Head' : 'Write'} ${key.split('/')[0]}`
}

function sendXml(response: ServerResponse, xml: string): void {
  response.writeHead(200, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) }).end(xml)
}

function listPage(query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? ''
  const after = query.get('continuation-token') ?? query.get('start-after') ?? ''
  if (query.has('delimiter')) return listFolders(prefix)
  const objects: string[] = []
  let last = ''
  for (const object of fleet.list(prefix, after)) {
    if (objects.length === PAGE_OBJECTS) {
      const next = `<NextContinuationToken>${last}</NextContinuationToken>`
      return `<ListBucketResult><IsTruncated>true</IsTruncated>${next}${objects.join('')}</ListBucketResult>`
    }
    objects.push(formatObject(object))
    last = object.key
  }
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${objects.join('')}</ListBucketResult>`
}

/** As S3 has it of objects that the agent wrote. */
function formatObject({ key, sizeBytes, writtenAt }: FleetObject): string {
  const time = new Date(writtenAt).toISOString()
  return (
    `<Contents><Key>${key}</Key><LastModified>${time}</LastModified><ETag>&quot;0123456789abcdef0123456789abcdef&quot;</ETag>` +
    `<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>${sizeBytes}</Size>` +
    `<StorageClass>STANDARD</StorageClass></Contents>`
  )
}

function listFolders(prefix: string): string {
  const folders = prefix === 'manifests/' ? ['daily'] : [...new Set(fleet.names.map((name) => folderOf(prefix, name)))]
  const found = folders.map((folder) => `<CommonPrefixes><Prefix>${prefix}${folder}/</Prefix></CommonPrefixes>`)
  return `<ListBucketResult><IsTruncated>false</IsTruncated>${found.join('')}</ListBucketResult>`
}

/** An instance's ARN is two folders. */
function folderOf(prefix: string, name: string): string {
  const [arn = '', id = ''] = name.split('/')
  return prefix.includes(arn) ? id : arn
}

function sendObject(response: ServerResponse, key: string, range: string | undefined): void {
  if (key === '') return sendXml(response, '<VersioningConfiguration/>')
  const body = written.get(key) ?? fleet.read(key)
  if (body === undefined) {
    response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>')
    return
  }
  const whole = typeof body === 'string' ? Buffer.from(body, 'latin1') : body
  const times = { 'last-modified': new Date().toUTCString(), etag: '"0"' }
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
  if (first === undefined) {
    response.writeHead(200, { 'content-length': whole.length, ...times }).end(whole)
    return
  }
  const piece = whole.subarray(Number(first), Number(last) + 1)
  const headers = { 'content-length': piece.length, 'content-range': `bytes ${first}-${last!}/${whole.length}` }
  response.writeHead(206, { ...headers, ...times }).end(piece)
}

function sendHead(response: ServerResponse, key: string): void {
  const body = written.get(key)
  const headers = { 'content-length': body?.length ?? 0, 'last-modified': new Date().toUTCString() }
  response.writeHead(body ? 200 : 404, headers).end()
}

async function write(
  request: IncomingMessage,
  response: ServerResponse,
  key: string,
  query: URLSearchParams,
): Promise<void> {
  const body = await buffer(request)
  if (query.has('uploads')) {
    parts.set(key, [])
    sendXml(response, '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>')
  } else if (query.has('partNumber')) {
    parts.get(key)![Number(query.get('partNumber')) - 1] = withoutChunks(body, request)
    response.writeHead(200, { etag: '"0"', 'content-length': 0 }).end()
  } else {
    written.set(key, query.has('uploadId') ? Buffer.concat(parts.get(key)!) : withoutChunks(body, request))
    sendXml(response, '<CompleteMultipartUploadResult><ETag>0</ETag></CompleteMultipartUploadResult>')
  }
}

/** The SDK sends bodies in chunks of its own where it adds their checksum at the end. */
function withoutChunks(body: Buffer, { headers }: IncomingMessage): Buffer {
  if (!headers['content-encoding']?.includes('aws-chunked')) return body
  const pieces: Buffer[] = []
  for (let at = 0; ;) {
    const end = body.indexOf('\r\n', at)
    const bytes = parseInt(body.toString('latin1', at, end), 16)
    if (!bytes) return Buffer.concat(pieces)
    pieces.push(body.subarray(end + 2, end + 2 + bytes))
    at = end + 2 + bytes + 2
  }
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
