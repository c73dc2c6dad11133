import { Worker } from 'node:worker_threads'
import { manifestKey } from '../../../agent/contract'
import { AgentError, isDataLoss } from '../../../agent/errors'
import { formatManifest } from '../../../agent/run/manifest'
import { runManifestParserIfAsked } from '../../../fleet/evidence/parser-thread.io'
import { openParser } from '../../../fleet/evidence/parser.io'
import { nightly } from '../../support/fleet-bucket'
import { logWarnings } from '../../support/log'
import { manifestOf, volumeBackupOf } from '../../support/manifest'

const runKey = nightly('db1', 30)
const text = formatManifest(manifestOf({ ...runKey, volumes: [volumeBackupOf({}, runKey)] }))

test.each([
  ['here', 1],
  ['on threads', 100_000],
])('a manifest is parsed %s, and nothing is believed of it', async (_, manifests) => {
  const warnings: string[] = []
  await using parser = await openParser(manifests, logWarnings(warnings))
  expect(warnings).toEqual([])
  const parse = (json: string, wanted = {}) => parser.parse(Buffer.from(json), runKey, wanted)
  const many = await Promise.all(Array.from({ length: 100 }, () => parse(text, { stored: true })))
  for (const each of many) {
    expect(each).toMatchObject({
      record: { state: 'complete', storedBytes: 1000, entries: 3 },
      stored: [{ volume: 'vg0-home', compression: 'zstd', segmentBytes: [1000], catalogBytes: 300 }],
    })
  }
  expect(await parse(text, { detail: true })).toMatchObject({ detail: { hostname: 'db-1' } })
  expect(await parse(text)).toEqual({ record: expect.anything() })
  expect(await parse(text.replace('"format": 2', '"format": 4'))).toMatchObject({ state: 'unsupported' })
  const another = text.replaceAll('"host": "db1"', '"host": "db2"')
  expect(await parse(another)).toEqual({
    state: 'unreadable',
    problem: `${manifestKey(runKey)} is not a manifest: it says that its host is 'db2'`,
  })
  expect(await parse('{"a": 1, "a": 1}')).toMatchObject({ state: 'unreadable' })
})

test('a thread that dies proves nothing of the manifests that it was given: they may be good', async () => {
  await using parser = await openParser(100_000, logWarnings([]))
  const posting = jest.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker) {
    void this.terminate()
  })
  try {
    for (let given = 0; given < 2; given++) {
      const error: unknown = await parser.parse(Buffer.from(text), runKey, {}).catch((thrown: unknown) => thrown)
      expect([error, isDataLoss(error)]).toEqual([expect.any(AgentError), false])
    }
  } finally {
    posting.mockRestore()
  }
})

test('a program that is no such thread goes on as itself', () => {
  expect(runManifestParserIfAsked()).toBe(false)
})
