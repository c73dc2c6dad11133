/** What AWS answers now and then, and moto never: all else is in `outlets.system.test.ts`. */
import { text } from 'node:stream/consumers'
import type { HostEvent } from '../../../fleet/audit/events'
import { awsOutlets } from '../../../fleet/audit/outlets.io'
import { serve } from '../../support/http-server'

const { signal } = new AbortController()
const saved = { ...process.env }
afterEach(() => {
  process.env = { ...saved }
})

test('an event that EventBridge does not take keeps none of the others from it, and is told of', async () => {
  const hosts: string[] = []
  await using bus = await serve((request, response) => {
    void text(request).then((body) => {
      const { Entries } = JSON.parse(body) as { Entries: { Detail: string }[] }
      const answers = Entries.map(({ Detail }) => {
        const { host } = JSON.parse(Detail) as HostEvent
        hosts.push(host)
        return host === 'host-3' ? { ErrorCode: 'InternalFailure', ErrorMessage: 'try again' } : { EventId: host }
      })
      response.setHeader('content-type', 'application/x-amz-json-1.1')
      const FailedEntryCount = answers.filter((answer) => 'ErrorCode' in answer).length
      response.end(JSON.stringify({ FailedEntryCount, Entries: answers }))
    })
  })
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  Object.assign(process.env, { ...credentials, AWS_ENDPOINT_URL: bus.url })
  const outlets = awsOutlets({ bucket: 'b', topicArn: 't', region: 'eu-west-1', now: () => new Date() })
  const events = Array.from({ length: 25 }, (_, index): HostEvent => ({
    ...{ stack: 'S', bucket: 'b', host: `host-${index}`, id: `host-${index}`, to: 'stale' },
    ...{ overdue: true, reason: 'r', advice: '', at: '2026-11-28T02:05:00.000Z' },
  }))
  await expect(outlets.putEvents(events, signal)).rejects.toThrow(
    'EventBridge did not take 1 events (InternalFailure: try again)',
  )
  expect(hosts).toEqual(events.map(({ host }) => host))
})
