/** An operator with the credentials of a restorer, who runs the bundle that ships on a machine of theirs, as root. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Server } from '../servers/index'
import type { Agent, AgentRun } from '../support/agent'

/** What the intruder would like to reach: a directory beside the target, with something precious in it. */
export interface Machine {
  readonly target: string
  readonly outside: string
}

export function machineIn(scratch: string): Machine {
  const root = mkdtempSync(join(scratch, 'machine-'))
  chmodSync(root, 0o755)
  const [target, outside] = [join(root, 'target'), join(root, 'outside')]
  mkdirSync(outside)
  writeFileSync(join(outside, 'precious'), 'precious')
  return { target, outside }
}

/** @returns what was done to the machine that nobody asked for */
export function findHarm({ target, outside }: Machine): string[] {
  const harm: string[] = []
  if (readdirSync(outside).join() !== 'precious') harm.push(`outside has ${readdirSync(outside).join()}`)
  if (readFileSync(join(outside, 'precious'), 'utf8') !== 'precious') harm.push('what was precious was overwritten')
  if (lstatSync(join(outside, 'precious')).nlink !== 1) harm.push('what was precious has another name now')
  for (const path of walk(target)) {
    const name = path.slice(target.length)
    if (/evil/.test(name)) harm.push(`${name} was restored`)
    if ((lstatSync(path).mode & 0o7000) !== 0) harm.push(`${name} is set-uid`)
  }
  return harm
}

function walk(directory: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name)
    return entry.isDirectory() ? [path, ...walk(path)] : [path]
  })
}

/** None of these takes more than some seconds on a machine with nothing else to do. */
const COMMAND_SECONDS_MAX = 120

/** Runs a command of the agent on a bucket. */
export function operate(
  agent: Agent,
  server: Server,
  { bucket, host }: { readonly bucket: string; readonly host: string },
  argv: readonly string[],
): Promise<AgentRun> {
  const where = ['--bucket', bucket, '--host', host, '--endpoint-url', server.endpoint, '--region', server.region]
  // What does not end is misconduct, and killed: then its status is null.
  return agent.run([...argv, ...where], {
    timeoutSeconds: COMMAND_SECONDS_MAX,
    environment: { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
    // Enough for whatever is honest: what an intruder has stored must not decide how much memory it takes.
    nodeArguments: ['--max-old-space-size=512'],
  })
}

/** @returns what is wrong with how the agent said what it said */
export function findMisconduct({ status, stdout, stderr, json }: AgentRun): string[] {
  const said = stdout + stderr
  const wrong: string[] = []
  if (![0, 1, 2, 3, 5].includes(status ?? -1)) wrong.push(`status ${status}`)
  if (/INTERNAL|unforeseen error|at \S+ \(.*:\d+:\d+\)|heap out of memory/.test(said)) wrong.push('it was not foreseen')
  if (/[^\P{Cc}\n]/u.test(said)) wrong.push('control characters reach the terminal')
  if (/\p{Bidi_Control}/u.test(said)) wrong.push('the direction of the text is turned')
  if (json === undefined) wrong.push('no line of JSON')
  return wrong
}
