/** Why a host did not do what it was sent, and what to do about it. What a host printed is its word: it is cut, and read strictly. */
import { z } from 'zod'
import { ExitStatus } from '../../agent/contract'
import { printableLine } from '../../agent/lib/printable'
import type { HostRow } from './invocations'
import type { Invocation, StepOutput, StepResult } from './systems-manager'

export interface Reason {
  readonly reason: string
  /** What to do; in whole sentences. */
  readonly hint: string
}

const REASON_CHARACTERS_MAX = 300
const HINT_CHARACTERS_MAX = 300

/** Where it is not the agent that has the word: by `StatusDetails`. */
const BY_STATUS: Readonly<Record<string, Reason>> = {
  Undeliverable: {
    reason: 'Systems Manager could not reach the host',
    hint: 'It is off or does not exist, its SSM agent is not running, or its role or the network does not let the agent reach Systems Manager: see "Connection lost" in Fleet Manager.',
  },
  DeliveryTimedOut: {
    reason: 'the host did not fetch the command in time',
    hint: 'It is off, or its SSM agent is busy or not running. Start it and send the command again; --delivery-timeout gives hosts longer.',
  },
  ExecutionTimedOut: {
    reason: 'it took longer than it may, and Systems Manager stopped waiting',
    hint: 'Give it longer with --execution-timeout. What the agent may have left on the host, "snapstream-fleet cleanup" removes.',
  },
  TimedOut: {
    reason: 'it took longer than it may',
    hint: 'Give it longer with --execution-timeout, or send the command again.',
  },
  Cancelled: {
    reason: 'somebody cancelled the command',
    hint: 'Cancelling stops Systems Manager from waiting, and not the agent: "snapstream-fleet cancel" stops both.',
  },
  Terminated: {
    reason: 'it was not started, since too many other hosts had failed',
    hint: 'Look at their failures first. --max-errors says how many it takes; 100% goes on whatever happens.',
  },
  InvalidPlatform: {
    reason: 'the document is not for its platform',
    hint: 'Snapstream backs up Linux: name the hosts by a tag that only these bear.',
  },
  AccessDenied: {
    reason: 'you may not send the document to this host',
    hint: 'The policies of the stack allow hosts that bear the tag of a schedule: tag the host, or use credentials that may.',
  },
}

/** What the agent means by its exit status, where it said nothing else that could be read. */
const BY_EXIT_STATUS: Readonly<Record<number, string>> = {
  [ExitStatus.usage]: 'the agent did not accept what it was asked for',
  [ExitStatus.incomplete]: 'it was done in part: something failed, the rest is good',
  [ExitStatus.cleanupFailed]: 'the backup is safe, and something of it was left behind on the host',
  [ExitStatus.waitingForGlacier]: 'archives are being retrieved from Glacier',
  [ExitStatus.busy]: 'another run was at work on the host',
  [ExitStatus.interrupted]: 'it was stopped before it was done',
}

const text = z.string().transform((value) => printableLine(value))
const failure = z.object({ message: text, hint: text, mountPoint: text.optional() })
/** The agent's last line: an error, or what it did with what failed of it. */
const lastLine = z.object({
  error: failure.optional(),
  failures: z.array(failure).optional(),
  /** Of a verification. */
  volumes: z.array(z.object({ findings: z.array(z.object({ what: text, hint: text })).optional() })).optional(),
  leftBehind: z.array(text).optional(),
})

/** The step that an explanation is to be read from: the one that failed, or else the last that ran. */
export function stepToRead({ steps }: Invocation): string | undefined {
  return (steps.find(({ status }) => status === 'Failed') ?? findLast(steps))?.name
}

/** The steps that ran, as far as that is known. */
function findLast(steps: readonly StepResult[]): StepResult | undefined {
  return steps.findLast(({ exitStatus, output }) => exitStatus !== undefined || output !== '')
}

/**
 * @param output - of the step that `stepToRead` names; absent where it could not be read, or says nothing
 */
export function explain({ phase, invocation }: HostRow, output?: StepOutput): Reason {
  const { status, steps, trace } = invocation
  if (phase !== 'failed') {
    return {
      reason: `Systems Manager called it '${cut(status, 40)}' when it was last asked`,
      hint: 'It may be at work: ask again with "snapstream-fleet attach", or look at the host.',
    }
  }
  const failed = steps.find(({ status: each }) => each === 'Failed')
  const said = status === 'Failed' || status === 'Cancelled' ? readWords(output, failed?.exitStatus) : undefined
  if (said) return withLimits(said)
  const known = BY_STATUS[status]
  if (known) return known
  if (trace !== '') return withLimits({ reason: trace, hint: 'This is what the SSM agent said of the document.' })
  const exitStatus = failed?.exitStatus
  const meaning = exitStatus === undefined ? undefined : BY_EXIT_STATUS[exitStatus]
  return {
    reason: meaning ?? `it failed${exitStatus === undefined ? '' : ` with status ${exitStatus}`} without saying why`,
    hint: 'Systems Manager keeps what it printed for 30 days, in the history of Run Command; run "snapstream preflight" on the host.',
  }
}

/** The agent's own words, from its line for programs, or from what it wrote for people. */
function readWords(output: StepOutput | undefined, exitStatus: number | undefined): Reason | undefined {
  if (!output) return undefined
  return readLastLine(output.stdout, exitStatus) ?? readPeoplesWords(output.stderr)
}

function readLastLine(stdout: string, exitStatus = 0): Reason | undefined {
  const line = stdout.trimEnd().split('\n').at(-1) ?? ''
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined // it was cut, or is no line of the agent's
  }
  const parsed = lastLine.safeParse(json)
  if (!parsed.success) return undefined
  const { error, failures = [], volumes = [], leftBehind: [left] = [] } = parsed.data
  if (error) return { reason: error.message, hint: error.hint }
  const findings = volumes.flatMap((volume) => volume.findings ?? [])
  const [first, ...others] = [
    ...failures.map(({ mountPoint = '', message, hint }) => ({
      reason: `${mountPoint}${mountPoint && ': '}${message}`,
      hint,
    })),
    ...findings.map(({ what, hint }) => ({ reason: what, hint })),
  ]
  if (first) return { ...first, reason: `${first.reason}${others.length > 0 ? ` (and ${others.length} more)` : ''}` }
  if (exitStatus !== ExitStatus.cleanupFailed || left === undefined) return undefined
  return { reason: `the backup is safe; left behind: ${left}`, hint: 'Send "snapstream-fleet cleanup" to the host.' }
}

/** `snapstream: what happened`, then `HINT: what to do`; other scripts of ours write the first line without our name. */
function readPeoplesWords(stderr: string): Reason | undefined {
  const lines = stderr.split('\n').map(printableLine)
  const hintAt = lines.findLastIndex((line) => /^\s*HINT: /.test(line))
  if (hintAt < 1) {
    const last = lines.findLast((line) => line.trim() !== '')
    return last === undefined ? undefined : { reason: last.trim(), hint: 'This is the last that the host said.' }
  }
  const before = lines.slice(0, hintAt).findLast((line) => line.trim() !== '' && !/^\s*(\||HINT: )/.test(line))
  if (before === undefined) return undefined
  const hint = (lines[hintAt] ?? '').replace(/^\s*HINT: /, '')
  return { reason: before.trim().replace(/^snapstream: /, ''), hint }
}

function withLimits({ reason, hint }: Reason): Reason {
  return { reason: cut(reason, REASON_CHARACTERS_MAX), hint: cut(hint, HINT_CHARACTERS_MAX) }
}

function cut(value: string, charactersMax: number): string {
  const line = printableLine(value)
  return line.length <= charactersMax ? line : `${line.slice(0, charactersMax).toWellFormed()}…`
}
