/** From a request over HTTP to EC2's answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { perform } from './actions'
import { settleAttachments } from './attachments'
import { Ec2Error, statusOf } from './errors'
import { HANG_UP, type Faults } from './faults'
import { parseForm } from './query'
import { assertSigned, type Signer } from './signature'
import { formatAnswer, formatError } from './xml'
import type { Account } from './account'

/** What somebody asked for, and what came of it. */
export interface RecordedRequest {
  readonly timeMs: number
  readonly action: string
  readonly parameters: Readonly<Record<string, string>>
  /** Undefined where it was done. */
  readonly code: string | undefined
}

export interface Service {
  readonly account: Account
  /** Whose requests are answered. */
  readonly signer: Signer
  readonly faults: Faults
  readonly requests: RecordedRequest[]
  /** Has work done in the order in which it came, one after the other. */
  readonly oneByOne: <T>(work: () => Promise<T>) => Promise<T>
}

export async function respond(service: Service, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { account, faults, oneByOne, requests } = service
  const body = await text(request)
  const parameters = parseForm(body)
  const action = parameters.get('Action') ?? ''
  const requestId = `request-${requests.length + 1}`
  const answer = (status: number, xml: string, code?: string) => {
    requests.push({ timeMs: account.now(), action, parameters: Object.fromEntries(parameters), code })
    if (code === HANG_UP) request.socket.destroy()
    else response.writeHead(status, { 'content-type': 'text/xml;charset=UTF-8' }).end(xml)
  }
  const settleAndPerform = () =>
    oneByOne(async () => {
      await settleAttachments(account)
      return perform(account, service.signer.region, parameters)
    })
  try {
    assertSigned(readSigned(request, body), service.signer)
    const content = await faults.meet(action, settleAndPerform)
    answer(200, formatAnswer(action, requestId, content))
  } catch (error) {
    const { code, message } = error instanceof Ec2Error ? error : new Ec2Error('InternalError', String(error))
    answer(statusOf(code), formatError(code, message, requestId), code)
  }
}

function readSigned({ method = '', url = '', headers }: IncomingMessage, body: string) {
  const single = Object.entries(headers).map(([name, value]) => [name, String(value)] as const)
  return { method, path: url, headers: Object.fromEntries(single), body }
}
