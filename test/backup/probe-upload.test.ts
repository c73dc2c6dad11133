import { probeChecksums, probeCompletion, probeUpload } from '../../agent/backup/probe-upload.io'
import type { BucketOfHost } from '../../agent/bucket/connect.io'
import { AgentError, type ErrorCode } from '../../agent/errors'
import { memoryStore, type MemoryStore } from '../support/memory-store'

const REQUEST = { class: 'daily', run: '20260202T050506Z-abz277' }
const KEY = `data/daily/db-1/${REQUEST.run}/preflight.tar`
const { signal } = new AbortController()

function bucketWith(changes: Partial<MemoryStore> = {}, endpoint = 'https://s3.example.com') {
  const memory = memoryStore()
  const there: BucketOfHost = {
    host: 'db-1',
    region: 'eu-west-1',
    store: { ...memory, ...changes },
    readCaller: async () => 'AKIDEXAMPLE',
    readEndpointInfo: async () => ({ endpoint, settings: [], proxy: undefined, caBundle: undefined }),
  }
  return { there, left: () => ({ objects: [...memory.objects.keys()], uploads: memory.uploads.size }) }
}

const failing = (code: ErrorCode) => async () => {
  throw new AgentError(code, `${code}, it says`, { hint: 'See there.' })
}

test('a host that may write is told so, and nothing stays of the attempt', async () => {
  const { there, left } = bucketWith()
  expect(await probeUpload(there, REQUEST, signal)).toBe('may write the backups of this host, class daily')
  expect(left()).toEqual({ objects: [], uploads: 0 })
})

test('nothing stays of an attempt whose part is refused, either', async () => {
  const { there, left } = bucketWith({ uploadPart: failing('ACCESS_DENIED') })
  await expect(probeUpload(there, REQUEST, signal)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
  expect(left()).toEqual({ objects: [], uploads: 0 })
})

test('AWS is not tried: nothing is sent there', async () => {
  const nothingSent = { createUpload: failing('STORE_FAILED') }
  const { there } = bucketWith(nothingSent, 'https://backups.s3.eu-west-1.amazonaws.com')
  expect(await probeChecksums(there, REQUEST, signal)).toMatch(/^not tried: /)
})

test('a network that fails says nothing about what the server compares', async () => {
  for (const step of ['uploadPart', 'completeUpload'] as const) {
    const { there, left } = bucketWith({ [step]: failing('ENDPOINT_UNREACHABLE') })
    for (const probe of [probeChecksums, probeCompletion]) {
      await expect(probe(there, REQUEST, signal)).rejects.toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
    }
    expect(left()).toEqual({ objects: [], uploads: 0 })
  }
})

test('an upload that is to be completed leaves one object, at the key that it was asked for', async () => {
  const { there, left } = bucketWith()
  expect(await probeCompletion(there, REQUEST, signal)).toContain(KEY)
  expect(left()).toEqual({ objects: [KEY], uploads: 0 })
})
