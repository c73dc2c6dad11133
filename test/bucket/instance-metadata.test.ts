import type { IncomingMessage, ServerResponse } from 'node:http'
import { readIdentity } from '../../agent/bucket/identity.io'
import { fakeClock } from '../support/fake-clock'
import { serve } from '../support/http-server'
import { serveMetadata } from '../support/metadata-service'
import { refusalOf } from '../support/refusal'

const signal = new AbortController().signal
const nothing = { host: undefined, region: undefined, endpointUrl: undefined }

describe('a metadata service that is not there yet', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['answers 503', (response) => response.writeHead(503).end()],
    ['breaks the connection', (response) => response.destroy()],
  ])('and first %s is asked again', async (_, hiccup) => {
    await using service = await serveMetadata({ region: 'eu-west-1' })
    let requests = 0
    const passOn = async ({ method = 'GET', url = '', headers }: IncomingMessage, response: ServerResponse) => {
      const token = headers['x-aws-ec2-metadata-token']
      const passed = typeof token === 'string' ? { 'x-aws-ec2-metadata-token': token } : {}
      const answer = await fetch(`${service.url}${url}`, { method, headers: passed })
      response.writeHead(answer.status).end(await answer.text())
    }
    await using front = await serve((request, response) => {
      if (++requests <= 3) hiccup(response)
      else void passOn(request, response)
    })
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: front.url }
    expect(await readIdentity(nothing, environment, signal, fakeClock())).toMatchObject({ region: 'eu-west-1' })
  })

  test('that says no means it', async () => {
    await using service = await serve((_, response) => response.writeHead(403).end())
    const environment = { AWS_EC2_METADATA_SERVICE_ENDPOINT: service.url }
    await refusalOf(readIdentity(nothing, environment, signal, fakeClock()))
    expect(service.requests).toHaveLength(1)
  })
})
