/** The operators' program: argv in, signals to one AbortSignal, errors out, exit status. */
import { agentVersion } from '../agent/backup/system-record.io'
import { ExitStatus } from '../agent/contract'
import { AgentError, hasCode } from '../agent/errors'
import { tuneGarbageCollection } from '../agent/lib/buffers.io'
import { createLog } from '../agent/lib/log'
import { writeMessage } from '../agent/lib/progress.io'
import { readConfigFile } from '../agent/options/config-file.io'
import { formatFailure, formatResult, type Output, type OutputOptions } from '../agent/options/output'
import { readPage } from '../agent/options/pages.io'
import { parseArguments } from '../agent/options/parse-argv'
import { chooseConfigFile, detectOutputOptions, resolveOptions, suggestVariableNames } from '../agent/options/resolve'
import { startProgram } from '../agent/options/start-program.io'
import type { Outcome } from '../agent/outcome'
import { attachTo, cancelCommand, tellHosts } from './command/actions.io'
import { connectRunCommand } from './command/connect.io'
import type { AnyRequest, CommandName, Request } from './command/commands'
import type { CommandDeps } from './command/context'
import { cost } from './command/cost.io'
import { explainLooking } from './command/denied'
import { debris } from './command/debris.io'
import { diff } from './command/diff.io'
import { forget } from './command/forget.io'
import { host } from './command/host.io'
import { FLEET } from './command/program'
import { report } from './command/report.io'
import { status } from './command/status.io'
import { openAccounts } from './inventory/account.io'
import { keepHeapSmall } from './heap.io'
import { observeFleet } from './observe.io'
import { openVault, type OpenedVault } from './vault.io'

/** Where a terminal does not say how wide it is, and where there is none. */
const COLUMNS = 80
const ROWS = 24

/** What each command does. */
const ACTIONS: { readonly [C in CommandName]: (deps: CommandDeps, request: Request<C>) => Promise<Outcome> } = {
  status,
  host,
  report,
  cost,
  forget,
  debris,
  diff,
  run: tellHosts,
  verify: tellHosts,
  restore: tellHosts,
  install: tellHosts,
  cleanup: tellHosts,
  attach: attachTo,
  cancel: cancelCommand,
}

/** What is not asked for as JSON is for people, wherever it goes: whole, and without a line of JSON at its end. */
function outputOptions(json: boolean): OutputOptions {
  return { json, stdout: false, terminal: true, program: FLEET.name }
}

async function run(argv: readonly string[], { signal }: AbortController): Promise<Output> {
  tuneGarbageCollection()
  keepHeapSmall()
  let options = outputOptions(detectOutputOptions(argv, process.env).json)
  try {
    const invocation = parseArguments(FLEET, argv, process.stdout.columns)
    if (invocation.kind === 'help') return { status: ExitStatus.ok, stdout: invocation.text, stderr: '' }
    if (invocation.kind === 'page') return { status: ExitStatus.ok, stdout: readPage(invocation.page), stderr: '' }
    if (invocation.kind === 'version') return { status: ExitStatus.ok, stdout: `${agentVersion}\n`, stderr: '' }
    const config = await readConfigFile(FLEET, chooseConfigFile(FLEET, invocation.flags, process.env))
    const { command } = invocation
    // The tables that this is built from are those that the type was made from.
    const request = { command, ...resolveOptions(FLEET, invocation, process.env, config) } as unknown as AnyRequest
    options = outputOptions(request.json)
    return formatResult(await perform(request, signal), options)
  } catch (error) {
    // Whoever was interrupted while hosts are at work has said how to come back.
    const isTold = hasCode(error, 'INTERRUPTED')
    return formatFailure(error, options, signal.aborted && !isTold ? (signal.reason as AgentError) : undefined)
  }
}

async function perform(request: AnyRequest, signal: AbortSignal): Promise<Outcome> {
  const now = () => new Date()
  const log = createLog(request.logLevel ?? 'warn', now, writeMessage)
  for (const warning of suggestVariableNames(FLEET, process.env)) log.warn(warning)
  const { stdout } = process
  let opened: Promise<OpenedVault> | undefined
  const open = () => {
    if (!('bucket' in request)) throw new Error(`${request.command} has no bucket`)
    return (opened ??= openVault(request, process.env, { log, signal }))
  }
  const deps: CommandDeps = {
    ...{ log, now, signal, environment: process.env },
    screen: {
      isTerminal: stdout.isTTY && !request.json,
      // 0 where a terminal does not know; another where its window has changed.
      get columns() {
        return stdout.columns || COLUMNS
      },
      get rows() {
        return stdout.rows || ROWS
      },
      write: (text) => void stdout.write(text),
    },
    openVault: open,
    observe: async (given) => {
      const { vault } = await open()
      const openAccount = openAccounts(vault.store.bucket, process.env, signal)
      return observeFleet({ vault, log, now, signal, openAccount }, given).catch((error: unknown) => {
        throw explainLooking(error)
      })
    },
    openRunCommand: () => connectRunCommand(request, process.env, signal),
  }
  // Each is given the request of its own name.
  const act = ACTIONS[request.command] as (deps: CommandDeps, request: AnyRequest) => Promise<Outcome>
  return act(deps, request)
}

startProgram(
  run,
  () => outputOptions(detectOutputOptions(process.argv, process.env).json),
  'Run the command again. What hosts were told to do goes on.',
)
