/**
 * Stands in for the service that the SSM agent takes its commands from (ec2messages), so that the real agent can be
 * given a document without AWS. Signatures are not checked.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import type { CommandDocument } from '../../infra/ssm-document'

export interface Command {
  readonly documentName: string
  readonly document: CommandDocument
  readonly parameters: Readonly<Record<string, string>>
}

/** What the agent says of a command: after each step, and at the end. */
export interface Reply {
  readonly documentStatus: 'InProgress' | 'Success' | 'Failed' | 'TimedOut' | 'Cancelled'
  /** Why no step was run. */
  readonly documentTraceOutput?: string
  /** Null where the agent refused the document. */
  readonly runtimeStatus: Readonly<
    Record<
      string,
      {
        readonly status: string
        readonly code: number
        readonly standardOutput: string
        readonly standardError: string
      }
    >
  > | null
}

export interface MessageService {
  readonly port: number
  readonly commandId: string
  /** The last reply. */
  readonly finished: Promise<Reply>
  /** Has the agent kill the command. */
  cancel(): void
  close(): void
}

/** The agent asks again as soon as it has an answer; without messages the service takes its time. */
const POLL_SECONDS = 15
const SERVICE = 'EC2WindowsMessageDeliveryService.'

/**
 * @param port - 0 for any that is free
 * @param onReply - called with each reply, the last one included
 */
export async function serveCommand(
  command: Command,
  port: number,
  onReply: (reply: Reply) => void,
): Promise<MessageService> {
  const commandId = randomUUID()
  const messages: Message[] = [sendCommand(commandId, command)]
  const closing = new AbortController()
  const { promise: finished, resolve: finish } = Promise.withResolvers<Reply>()
  let last: Reply | undefined
  /** Not before the agent has its answer: who waits for the end closes the connection. */
  const finishIfLast = () => {
    if (last) finish(last)
  }

  /** The messages for an agent that asks, once each. */
  async function poll(destination: string): Promise<object[]> {
    for (let waited = 0; messages.length === 0 && waited < POLL_SECONDS; waited += 0.2) {
      await wait(200, undefined, { signal: closing.signal })
    }
    return messages.splice(0).map(({ topic, id, payload }) => ({
      CreatedDate: new Date().toISOString(),
      Destination: destination,
      MessageId: `aws.ssm.${id}.${destination}`,
      Payload: JSON.stringify(payload(destination)),
      PayloadDigest: '',
      Topic: topic,
    }))
  }

  async function answer(target: string, input: Record<string, string>): Promise<object> {
    switch (target) {
      case `${SERVICE}GetMessages`: {
        const destination = input.Destination ?? ''
        return {
          Destination: destination,
          MessagesRequestId: input.MessagesRequestId,
          Messages: await poll(destination),
        }
      }
      case `${SERVICE}SendReply`: {
        const reply = JSON.parse(input.Payload ?? '{}') as Reply
        if (reply.documentStatus !== 'InProgress') last = reply
        onReply(reply)
        return {}
      }
      case 'AmazonSSM.ListInstanceAssociations':
        return { Associations: [] }
      default:
        // Acknowledgements, and the health report without whose answer the agent starts nothing.
        return {}
    }
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const input = JSON.parse((await text(request)) || '{}') as Record<string, string>
    const output = await answer(String(request.headers['x-amz-target']), input)
    response.setHeader('content-type', 'application/x-amz-json-1.1').end(JSON.stringify(output), finishIfLast)
  }

  const server = createServer((request, response) => {
    respond(request, response).catch(() => {
      response.destroy()
      finishIfLast() // whatever became of the report, the command has ended
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    commandId,
    finished,
    cancel: () => messages.push(cancelCommand(commandId)),
    close() {
      closing.abort()
      server.close()
      server.closeAllConnections()
    },
  }
}

interface Message {
  readonly topic: string
  readonly id: string
  readonly payload: (destination: string) => object
}

function sendCommand(id: string, { documentName, document, parameters }: Command): Message {
  const payload = {
    CommandId: id,
    DocumentName: documentName,
    DocumentContent: document,
    Parameters: parameters,
    OutputS3BucketName: '',
    OutputS3KeyPrefix: '',
    CloudWatchLogGroupName: '',
    CloudWatchOutputEnabled: 'false',
  }
  return { topic: 'aws.ssm.sendCommand.us.east.1.1', id, payload: () => payload }
}

function cancelCommand(commandId: string): Message {
  const payload = (destination: string) => ({ CancelMessageId: `aws.ssm.${commandId}.${destination}` })
  return { topic: 'aws.ssm.cancelCommand.us.east.1.1', id: randomUUID(), payload }
}
