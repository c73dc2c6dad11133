/** What EC2 itself refuses, and stand-ins for it do not: what is removed, `outlets.system.test.ts` shows with moto. */
import { text } from 'node:stream/consumers'
import { ebsLeftovers } from '../../../fleet/audit/leftovers.io'
import { serve } from '../../support/http-server'

const { signal } = new AbortController()
const saved = { ...process.env }
afterEach(() => {
  process.env = { ...saved }
})

test('EC2 takes 200 values of a filter: more hosts than that may have a volume of theirs attached', async () => {
  const asked: string[][] = []
  await using ec2 = await serve((request, response) => {
    void text(request).then((body) => {
      const ids = [...new URLSearchParams(body)].filter(([key]) => /^Filter\.1\.Value\./.test(key)).map(([, id]) => id)
      asked.push(ids)
      const items = ids.map(
        (id) => `<item><instanceId>${id}</instanceId><instanceState><name>running</name></instanceState></item>`,
      )
      response.setHeader('content-type', 'text/xml')
      response.end(
        '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><reservationSet><item>' +
          `<instancesSet>${items.join('')}</instancesSet></item></reservationSet></DescribeInstancesResponse>`,
      )
    })
  })
  const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' }
  Object.assign(process.env, { ...credentials, AWS_ENDPOINT_URL: ec2.url })
  const ids = Array.from({ length: 450 }, (_, index) => `i-${String(index).padStart(17, '0')}`)
  const power = await ebsLeftovers('eu-west-1').readPower(ids, signal)
  expect(asked.map(({ length }) => length)).toEqual([200, 200, 50])
  expect(power).toEqual(new Map(ids.map((id) => [id, 'running'])))
})
