/** Run Command by the SDK's client. */
import {
  CancelCommandCommand,
  GetCommandInvocationCommand,
  ListCommandInvocationsCommand,
  ListCommandsCommand,
  SendCommandCommand,
  SSMClient,
  type SSMClientConfig,
} from '@aws-sdk/client-ssm'
import type { CredentialProvider } from '../../agent/bucket/credentials.io'
import { httpHandler } from '../../agent/bucket/http-handler.io'
import { DIRECT, type Route } from '../../agent/bucket/proxy'
import { hasCode } from '../../agent/errors'
import { SYSTEM_CLOCK, type Clock } from '../../agent/bucket/retries.io'
import { fateOf, ssmError } from './ssm-errors'
import { sendInput, toInvocation, toSentCommand } from './ssm-shapes'
import type { RunCommand } from './systems-manager'

export interface RunCommandOptions {
  readonly region: string
  readonly credentials: CredentialProvider
  /** Systems Manager's own where left out, or what AWS's variables say. */
  readonly endpointUrl?: string | undefined
  readonly route?: Route
  /** Paces what is sent again: the system's, unless a test has one of its own. */
  readonly clock?: Clock
  /** So long an answer to what is sent may take: as Systems Manager does, unless a test has less patience. */
  readonly sendSecondsMax?: number
}

const CONNECT_TIMEOUT_SECONDS = 10
/** Systems Manager answers within seconds, or not at all. */
const REQUEST_SECONDS_MAX = 30
const CONNECTIONS_MAX = 8
/** Of what only reads: whoever follows a command looks again anyway. */
const READ_ATTEMPTS = 4
/** A fleet's console and its auditor ask, too: what is refused for its rate is sent again, after 1 s, 2 s, and so on. */
const SEND_ATTEMPTS = 8
/** The most that one answer has (API reference). */
const PAGE_INVOCATIONS = 50
/** Of one document, sent within the hour: the newest come first. */
const PAGES_SEARCHED_MAX = 20

/** The SDK's own: it sends each request once. */
const NO_RETRIES: Extract<SSMClientConfig['retryStrategy'], { readonly retry: unknown }> = {
  retry: (next, request) => next(request),
}

export function runCommand(options: RunCommandOptions): RunCommand {
  const { region, credentials, endpointUrl, route = DIRECT, clock = SYSTEM_CLOCK } = options
  const { sendSecondsMax = REQUEST_SECONDS_MAX } = options
  const config = {
    ...{ region, credentials },
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    requestHandler: httpHandler({
      route,
      connectionsMax: CONNECTIONS_MAX,
      connectSeconds: CONNECT_TIMEOUT_SECONDS,
      silenceSeconds: REQUEST_SECONDS_MAX,
    }),
  }
  const reader = new SSMClient({ ...config, maxAttempts: READ_ATTEMPTS })
  const sender = new SSMClient({ ...config, retryStrategy: NO_RETRIES })

  async function describe(commandId: string, signal: AbortSignal) {
    const command = new ListCommandsCommand({ CommandId: commandId })
    try {
      const { Commands = [] } = await asked('ListCommands', () => reader.send(command, { abortSignal: signal }))
      const [found] = Commands
      return found && toSentCommand(found)
    } catch (error) {
      if (hasCode(error, 'UNKNOWN_COMMAND')) return undefined
      throw error
    }
  }

  return {
    async send(plan, comment, signal) {
      const command = new SendCommandCommand(sendInput(plan, comment))
      for (let attempt = 1; ; attempt++) {
        try {
          const { Command } = await sender.send(command, {
            abortSignal: AbortSignal.timeout(sendSecondsMax * 1000),
          })
          return toSentCommand(Command ?? {})
        } catch (thrown) {
          const error = asTimeout(thrown, sendSecondsMax)
          if (fateOf(error) !== 'throttled' || attempt === SEND_ATTEMPTS) throw ssmError(error, 'SendCommand')
          await clock.sleep(2 ** (attempt - 1), signal)
        }
      }
    },
    async findSent({ document, comment }, since, signal) {
      const Filters = [
        { key: 'InvokedAfter' as const, value: since.toISOString().replace(/\.\d+Z$/, 'Z') },
        { key: 'DocumentName' as const, value: document },
      ]
      let token: string | undefined
      for (let page = 0; page < PAGES_SEARCHED_MAX; page++) {
        const command = new ListCommandsCommand({ Filters, ...(token !== undefined && { NextToken: token }) })
        const answer = await asked('ListCommands', () => reader.send(command, { abortSignal: signal }))
        const found = answer.Commands?.find(({ Comment }) => Comment === comment)
        if (found) return toSentCommand(found)
        token = answer.NextToken
        if (!token) return undefined
      }
      return undefined
    },
    describe,
    async *listInvocations(commandId, signal) {
      let token: string | undefined
      do {
        const command = new ListCommandInvocationsCommand({
          ...{ CommandId: commandId, Details: true, MaxResults: PAGE_INVOCATIONS },
          ...(token !== undefined && { NextToken: token }),
        })
        const answer = await asked('ListCommandInvocations', () => reader.send(command, { abortSignal: signal }))
        for (const each of answer.CommandInvocations ?? []) yield toInvocation(each)
        token = answer.NextToken
      } while (token)
    },
    async readOutput(CommandId, InstanceId, PluginName, signal) {
      const command = new GetCommandInvocationCommand({ CommandId, InstanceId, PluginName })
      const answer = await asked('GetCommandInvocation', () => reader.send(command, { abortSignal: signal }))
      return { stdout: answer.StandardOutputContent ?? '', stderr: answer.StandardErrorContent ?? '' }
    },
    async cancel(CommandId, signal) {
      await asked('CancelCommand', () => reader.send(new CancelCommandCommand({ CommandId }), { abortSignal: signal }))
    },
  }
}

/** Nobody but our own clock aborts what is sent: then no answer has come, and it may have been carried out. */
function asTimeout(error: unknown, seconds: number): unknown {
  if ((error as Error).name !== 'AbortError') return error
  return Object.assign(new Error(`no answer within ${seconds} s`), { name: 'TimeoutError' })
}

async function asked<Answer>(action: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    throw ssmError(error, action)
  }
}
