/** The agent's entry: argv in, signals to one AbortSignal, errors out, exit status. */
import { backup } from './backup/backup.io'
import { cleanup } from './backup/cleanup.io'
import { drill } from './drill/drill.io'
import { find } from './find/find.io'
import { includingDeleted } from './run/include-deleted'
import { list } from './find/list.io'
import { listHosts } from './find/list-hosts.io'
import type { Outcome } from './outcome'
import { preflight } from './backup/preflight.io'
import { restore } from './restore/restore.io'
import { restorePlan } from './rebuild/restore-plan.io'
import { restoreStatus } from './restore/status.io'
import { verify } from './verify/verify.io'
import { DEFAULT_CLASS, ExitStatus } from './contract'
import type { AgentError } from './errors'
import { readConfigFile } from './options/config-file.io'
import { openBucket, openBucketOfHost } from './bucket/connect.io'
import { readInstanceFacts } from './bucket/instance-facts.io'
import type { HostDeps, Log } from './context'
import { connectEc2 } from './source/ebs/connect.io'
import { localHost } from './host/run-command.io'
import { createLog, type LogLevel } from './lib/log'
import { tuneGarbageCollection } from './lib/buffers.io'
import { availableMemoryBytes, isRoot, stopAfter, assertRoot } from './host/process.io'
import { writeMessage } from './lib/progress.io'
import { agentVersion } from './backup/system-record.io'
import { parseArguments } from './options/parse-argv'
import { readPage } from './options/pages.io'
import { tellOf, type TellWish } from './notify/tell.io'
import { AGENT, resolveRequest, type CommandLine } from './options/agent'
import {
  chooseConfigFile,
  suggestVariableNames,
  detectOutputOptions,
  resolveSome,
  type Config,
} from './options/resolve'
import { COMMANDS, type AnyRequest } from './options/commands'
import { formatFailure, formatResult, type Output } from './options/output'
import { startProgram } from './options/start-program.io'
import type { OptionName } from './options/table'

async function run(argv: readonly string[], interruption: AbortController): Promise<Output> {
  tuneGarbageCollection()
  const { signal } = interruption
  const terminal = process.stdout.isTTY
  let outputOptions = { ...detectOutputOptions(argv, process.env), terminal }
  try {
    const invocation = parseArguments(AGENT, argv, process.stdout.columns)
    if (invocation.kind === 'help') return { status: ExitStatus.ok, stdout: invocation.text, stderr: '' }
    if (invocation.kind === 'page') return { status: ExitStatus.ok, stdout: readPage(invocation.page), stderr: '' }
    if (invocation.kind === 'version') return { status: ExitStatus.ok, stdout: `${agentVersion}\n`, stderr: '' }
    const config = readConfigFile(AGENT, chooseConfigFile(AGENT, invocation.flags, process.env))
    const told = readTold(invocation, await config.catch(() => ({})))
    const log = createLog(told.logLevel ?? (process.stderr.isTTY ? 'info' : 'warn'), now, writeMessage)
    const outcome = await tellOf({ log, now, signal, environment: process.env }, told, async () => {
      const request = resolveRequest(invocation, process.env, await config)
      outputOptions = { json: request.json, stdout: request.command === 'restore' && request.stdout, terminal }
      const seconds = 'deadline' in request ? request.deadline : undefined
      const deadline = seconds === undefined ? undefined : stopAfter(interruption, seconds)
      return perform(request, log, { signal, ...(deadline && { deadline }) })
    })
    return formatResult(outcome, outputOptions)
  } catch (error) {
    return formatFailure(error, outputOptions, signal.aborted ? (signal.reason as AgentError) : undefined)
  }
}

const now = () => new Date()

/** Whom to tell of a command, and how: known as far as can be, whatever else is wrong. Of what only tries, nobody is told. */
function readTold(invocation: CommandLine, config: Config): TellWish & { readonly logLevel?: LogLevel } {
  const read = (name: OptionName): unknown => {
    try {
      return resolveSome(AGENT, invocation, process.env, config, [name])[name]
    } catch {
      return undefined // told of when the request is made
    }
  }
  const { command } = invocation
  const whom = read('dryRun') === true ? {} : { pingUrl: read('pingUrl'), metricsFile: read('metricsFile') }
  // The table that these are read by is the one that the types are made from.
  return { command, class: read('class') ?? DEFAULT_CLASS, logLevel: read('logLevel'), ...whom } as ReturnType<
    typeof readTold
  >
}

async function perform(request: AnyRequest, log: Log, stop: Pick<HostDeps, 'signal' | 'deadline'>): Promise<Outcome> {
  if (COMMANDS[request.command].needsRoot) assertRoot(request.command)
  for (const warning of suggestVariableNames(AGENT, process.env)) log.warn(warning)
  let ec2: ReturnType<typeof connectEc2> | undefined
  const hostDeps: HostDeps = {
    ...{ host: localHost, log, now, ...stop },
    connectEc2: () => (ec2 ??= connectEc2('ec2EndpointUrl' in request ? request : {}, process.env, hostDeps)),
  }
  const openThere = () => openBucketOfHost(request, process.env, hostDeps)
  if (request.command === 'preflight')
    return preflight(
      { ...hostDeps, isRoot: isRoot(), availableBytes: availableMemoryBytes(), open: openThere },
      request,
    )

  if (request.command === 'list' && request.hosts) {
    const { store } = await openBucket(request, process.env, hostDeps)
    return listHosts({ ...hostDeps, store }, request)
  }

  if (request.command === 'drill') {
    process.umask(0o077) // what has no mode of its own yet is nobody else's business
    const { store } = await openBucket(request, process.env, hostDeps)
    return drill({ ...hostDeps, store }, request)
  }

  const { store, host } = await openThere()
  const deps = { ...hostDeps, store }
  switch (request.command) {
    case 'backup': {
      const readInstance = () => readInstanceFacts(process.env, hostDeps)
      // Elsewhere the link-local address may lead anywhere.
      return backup({ ...deps, ...(host.startsWith('arn:') && { readInstance }) }, { ...request, host })
    }
    case 'verify':
      return includingDeleted(deps, { ...request, host }, verify)
    case 'find':
      return includingDeleted(deps, { ...request, host }, find)
    case 'list':
      return includingDeleted(
        deps,
        { ...request, host },
        (deps, request) => list(deps, request, process.stdout.columns || undefined), // 0 where a terminal does not know
      )
    case 'restore':
      process.umask(0o077) // what has no mode of its own yet is nobody else's business
      return includingDeleted(deps, { ...request, host }, restore)
    case 'restore-plan':
      return includingDeleted(deps, { ...request, host }, restorePlan)
    case 'restore-status':
      return includingDeleted(deps, { ...request, host }, restoreStatus)
    case 'cleanup':
      return cleanup(deps, { ...request, host })
  }
}

startProgram(
  run,
  () => ({ ...detectOutputOptions(process.argv, process.env), terminal: process.stdout.isTTY }),
  'Run the command again, a restore with --resume. A second signal ends a command without clean-up: the next run then cleans up.',
)
