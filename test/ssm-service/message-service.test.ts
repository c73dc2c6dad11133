/** The service, asked as the SSM agent was seen to ask. */
import { DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { readDocument } from '../../infra/ssm-document'
import { serveCommand, type MessageService, type Reply } from './message-service'

const document = readDocument(DOCUMENTS_DIRECTORY, 'Cancel')
const replies: Reply[] = []
let service: MessageService

beforeEach(async () => {
  replies.length = 0
  const command = { documentName: 'Cancel', document, parameters: { waitSeconds: '5' } }
  service = await serveCommand(command, 0, (reply) => replies.push(reply))
})
afterEach(() => service.close())

interface Messages {
  readonly Messages: readonly { readonly MessageId: string; readonly Topic: string; readonly Payload: string }[]
}

async function call<T>(target: string, input: object): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${service.port}/`, {
    method: 'POST',
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.1' },
    body: JSON.stringify(input),
  })
  return (await response.json()) as T
}

const poll = () =>
  call<Messages>('EC2WindowsMessageDeliveryService.GetMessages', {
    Destination: 'i-0123456789abcdef0',
    MessagesRequestId: 'x',
  })
const reply = (payload: object) =>
  call('EC2WindowsMessageDeliveryService.SendReply', { MessageId: 'm', ReplyId: 'r', Payload: JSON.stringify(payload) })

test('lets the agent believe that it is registered', async () => {
  expect(await call('AmazonSSM.UpdateInstanceInformation', { AgentVersion: '3.3.0.0' })).toEqual({})
  expect(await call('AmazonSSM.ListInstanceAssociations', {})).toEqual({ Associations: [] })
})

test('sends the document once, with its parameters', async () => {
  const [message, ...more] = (await poll()).Messages
  expect(more).toEqual([])
  expect(message).toMatchObject({
    MessageId: `aws.ssm.${service.commandId}.i-0123456789abcdef0`,
    Topic: expect.stringMatching(/^aws\.ssm\.sendCommand\./),
  })
  expect(JSON.parse(message!.Payload)).toMatchObject({
    CommandId: service.commandId,
    DocumentContent: document,
    Parameters: { waitSeconds: '5' },
  })
})

test('a cancellation names the command', async () => {
  await poll()
  service.cancel()
  const [message] = (await poll()).Messages
  expect(message?.Topic).toMatch(/^aws\.ssm\.cancelCommand\./)
  expect(JSON.parse(message!.Payload)).toEqual({ CancelMessageId: `aws.ssm.${service.commandId}.i-0123456789abcdef0` })
})

test('is finished with the reply that is not in progress', async () => {
  await reply({ documentStatus: 'InProgress', runtimeStatus: {} })
  await reply({ documentStatus: 'Failed', runtimeStatus: {} })
  expect((await service.finished).documentStatus).toBe('Failed')
  expect(replies.map(({ documentStatus }) => documentStatus)).toEqual(['InProgress', 'Failed'])
})

test('is finished where the agent refuses the document, even if nobody can report that', async () => {
  service.close()
  service = await serveCommand({ documentName: 'Cancel', document, parameters: {} }, 0, () => {
    throw new Error('the report fails')
  })
  await reply({ documentStatus: 'Failed', documentTraceOutput: 'error parsing regexp', runtimeStatus: null }).catch(
    () => undefined,
  )
  expect((await service.finished).documentTraceOutput).toBe('error parsing regexp')
})
