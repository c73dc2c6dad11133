/**
 * Stands in for Run Command of Systems Manager, over HTTP, as the SDK speaks with it: hosts live through the statuses that a test
 * gives them, one for each look, or run a real document. Nobody can have the states in between of the real one, and moto has no
 * list of invocations and nothing that ever fails. What both have, one contract suite holds them to.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { serve } from './http-server'

/** A step as Systems Manager lists it. */
export interface StepState {
  readonly Name: string
  readonly Status: string
  readonly StatusDetails?: string
  readonly ResponseCode?: number
  readonly stdout?: string
  readonly stderr?: string
}

/** A host at one look. Text alone is its status. */
export type HostState =
  | string
  | {
      readonly status: string
      readonly details?: string
      readonly steps?: readonly StepState[]
      readonly trace?: string
    }

export interface StandInHost {
  readonly name?: string
  readonly tags?: Readonly<Record<string, string>>
  /** The last one stays. Empty looks before the first: it is not listed yet. */
  readonly life?: readonly (HostState | undefined)[]
  /** In the place of a life: runs the document. */
  readonly run?: (
    document: string,
    parameters: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ) => Promise<HostState>
}

interface Fault {
  /** Answered with this error; without it, the connection is cut. */
  readonly error?: string
  /** Never answered, and the connection stays. */
  readonly silent?: boolean
  readonly status?: number
  /** It is done all the same. */
  readonly done?: boolean
  readonly times?: number
  /** From this page of a list on. */
  readonly page?: number
}

type Input = Readonly<Record<string, unknown>>
interface Sent {
  readonly input: Input
  readonly CommandId: string
  readonly ids: readonly string[]
  readonly requestedAt: number
  readonly cancellation: AbortController
  readonly ended: Map<string, HostState>
  looks: number
  cancelledAt?: number
}

export interface SystemsManager extends AsyncDisposable {
  readonly url: string
  /** What was sent, in order. */
  readonly sent: readonly Input[]
  /** Names of actions, in order. */
  readonly asked: readonly string[]
  /** The next requests of this kind. */
  fail(action: string, fault: Fault): void
}

export interface StandInOptions {
  /** Documents that there are; all where left out. */
  readonly documents?: readonly string[]
  readonly pageSize?: number
  /** Looks at a command before it is listed. */
  readonly lateBy?: number
  /** Instead of what follows from the hosts. */
  readonly targetCount?: number
}

const OVER = ['Success', 'Failed', 'TimedOut', 'Cancelled']

export async function startSystemsManager(
  hosts: Readonly<Record<string, StandInHost>>,
  { documents, pageSize = 50, lateBy = 0, targetCount }: StandInOptions = {},
): Promise<SystemsManager> {
  const commands = new Map<string, Sent>()
  const asked: string[] = []
  const faults: (Fault & { readonly action: string; left: number })[] = []

  const stateOf = (command: Sent, id: string): Exclude<HostState, string> | undefined => {
    const { run, life = ['Success'] } = hosts[id]!
    const state = run
      ? (command.ended.get(id) ?? 'InProgress')
      : command.cancelledAt !== undefined && !OVER.includes(statusText(at(life, command.cancelledAt)))
        ? 'Cancelled'
        : at(life, command.looks)
    if (state === undefined) return undefined
    if (typeof state !== 'string') return state
    const begun = life.slice(0, command.looks).some((each) => statusText(each) === 'InProgress')
    const steps = state === 'InProgress' || begun ? [{ Name: 'backup', Status: state }] : []
    return { status: state, steps }
  }
  const listed = (command: Sent) =>
    command.ids.flatMap((id) => {
      const state = stateOf(command, id)
      return state ? [{ id, state }] : []
    })

  function send(input: Input) {
    const {
      DocumentName,
      InstanceIds = [],
      Targets = [],
    } = input as unknown as {
      DocumentName: string
      InstanceIds?: string[]
      Targets?: { Key: string; Values: string[] }[]
    }
    if (documents && !documents.includes(DocumentName))
      return refuse('InvalidDocument', `Document ${DocumentName} does not exist.`)
    const stranger = InstanceIds.find((id) => !(id in hosts))
    if (stranger !== undefined)
      return refuse('InvalidInstanceId', `Instances [[${stranger}]] not in a valid state for account`)
    const tagged = Object.keys(hosts).filter((id) =>
      Targets.every(({ Key, Values }) => Values.includes(hosts[id]!.tags?.[Key.replace('tag:', '')] ?? '')),
    )
    const command: Sent = {
      ...{ input, CommandId: randomUUID(), ids: Targets.length > 0 ? tagged : InstanceIds, looks: 0 },
      ...{ requestedAt: Date.now() / 1000, cancellation: new AbortController(), ended: new Map() },
    }
    commands.set(command.CommandId, command)
    for (const id of command.ids) {
      const parameters = Object.entries((input.Parameters ?? {}) as Record<string, string[]>)
      const values = Object.fromEntries(parameters.map(([name, [value = '']]) => [name, value]))
      void hosts[id]
        ?.run?.(DocumentName, values, command.cancellation.signal)
        .then((state) => command.ended.set(id, state))
    }
    // All counts are 0 in the answer, as in that of the real one.
    return { Command: { ...describe(command), TargetCount: 0, Status: 'Pending', StatusDetails: 'Pending' } }
  }

  function describe(command: Sent) {
    const { CommandId, input, ids, requestedAt } = command
    const states = ids.map((id) => stateOf(command, id)?.status ?? 'Pending')
    const status = !states.every((state) => OVER.includes(state))
      ? 'InProgress'
      : states.every((state) => state === 'Success')
        ? 'Success'
        : command.cancelledAt === undefined
          ? 'Failed'
          : 'Cancelled'
    return {
      ...{ CommandId, Comment: input.Comment, DocumentName: input.DocumentName, RequestedDateTime: requestedAt },
      ...{ Status: status, StatusDetails: ids.length === 0 ? 'NoInstancesInTag' : status },
      ...{ TargetCount: targetCount ?? ids.length, ExpiresAfter: requestedAt + 100_000 },
      CloudWatchOutputConfig: input.CloudWatchOutputConfig,
    }
  }

  function listCommands({ CommandId, Filters = [] }: Input) {
    const wanted = (Filters as { key: string; value: string }[]).find(({ key }) => key === 'DocumentName')?.value
    const known = [...commands.values()].filter((command) => command.looks >= lateBy || CommandId === undefined)
    if (CommandId !== undefined)
      for (const command of commands.values()) if (command.CommandId === CommandId) command.looks++
    return {
      Commands: known
        .filter(
          ({ CommandId: id, input }) =>
            (CommandId ?? id) === id && (wanted ?? input.DocumentName) === input.DocumentName,
        )
        .map(describe),
    }
  }

  function listInvocations({ CommandId, Details, NextToken = '0' }: Input) {
    const command = commands.get(String(CommandId))
    if (!command) return refuse('InvalidCommandId', 'no such command')
    const from = Number(NextToken)
    const all = listed(command)
    const page = all.slice(from, from + pageSize).map(({ id, state }) => ({
      ...{ CommandId, InstanceId: id, InstanceName: hosts[id]!.name ?? '', Status: state.status },
      ...{ StatusDetails: state.details ?? state.status, TraceOutput: state.trace ?? '' },
      CommandPlugins: Details
        ? (state.steps ?? []).map(({ stdout = '', stderr = '', ...step }) => ({
            ...{ ResponseCode: -1, StatusDetails: step.Status, ...step },
            ResponseStartDateTime: command.requestedAt,
            Output: `${stdout}${stderr && `\n----------ERROR-------\n${stderr}`}`.slice(0, 2500),
          }))
        : [],
    }))
    return { CommandInvocations: page, ...(from + pageSize < all.length && { NextToken: String(from + pageSize) }) }
  }

  function readOutput({ CommandId, InstanceId, PluginName }: Input) {
    const command = commands.get(String(CommandId))
    const state = command?.ids.includes(String(InstanceId)) ? stateOf(command, String(InstanceId)) : undefined
    const step = state?.steps?.find(({ Name }) => Name === PluginName)
    if (!step) return refuse('InvalidPluginName', 'no such step')
    return {
      ...{ CommandId, InstanceId, PluginName, Status: step.Status, ResponseCode: step.ResponseCode ?? -1 },
      StandardOutputContent: (step.stdout ?? '').slice(0, 24_000),
      StandardErrorContent: (step.stderr ?? '').slice(0, 8000),
    }
  }

  function cancel({ CommandId }: Input) {
    const command = commands.get(String(CommandId))
    if (!command) return refuse('InvalidCommandId', 'no such command')
    command.cancelledAt ??= command.looks
    command.cancellation.abort()
    return {}
  }

  const ACTIONS: Readonly<Record<string, (input: Input) => object>> = {
    SendCommand: send,
    ListCommands: listCommands,
    ListCommandInvocations: listInvocations,
    GetCommandInvocation: readOutput,
    CancelCommand: cancel,
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const action = String(request.headers['x-amz-target']).replace('AmazonSSM.', '')
    const input = (await json(request)) as Input
    asked.push(action)
    const page = Number(input.NextToken ?? 0) / pageSize
    const fault = faults.find((each) => each.action === action && each.left > 0 && page >= (each.page ?? 0))
    if (fault) fault.left--
    const answer = fault && !fault.done ? {} : ACTIONS[action]!(input)
    if (fault?.silent) return
    if (fault && fault.error === undefined) {
      response.destroy()
      return
    }
    const body = fault ? refuse(fault.error ?? '', 'as the test wants it') : answer
    const status = '__type' in body ? (fault?.status ?? 400) : 200
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
  }

  const server = await serve((request, response) => void respond(request, response))
  return {
    url: server.url,
    get sent() {
      return [...commands.values()].map(({ input }) => input)
    },
    asked,
    fail: (action, fault) => void faults.push({ ...fault, action, left: fault.times ?? 1 }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function at(life: StandInHost['life'] & object, look: number): HostState | undefined {
  return life[Math.min(Math.max(0, look - 1), life.length - 1)]
}

function statusText(state: HostState | undefined): string {
  return typeof state === 'string' ? state : (state?.status ?? '')
}

function refuse(type: string, message: string) {
  return { __type: type, message }
}
