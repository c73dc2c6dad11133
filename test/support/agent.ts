import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { zstdDecompressSync } from 'node:zlib'
import { parseLastLine, readLastLine } from './last-line'

export interface AgentRun {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
  /** The last line of standard output. */
  readonly json: unknown
}

export interface RunAgentOptions {
  /** Added to an environment in which nothing of this machine's own shines through. */
  readonly environment?: Readonly<Record<string, string>>
  readonly uid?: number
  /** After this it is killed; there is no limit if nothing is said. */
  readonly timeoutSeconds?: number
  /** Arguments of Node itself. */
  readonly nodeArguments?: readonly string[]
}

export interface Agent extends Disposable {
  readonly bundle: string
  start(argv: readonly string[], options?: RunAgentOptions): { child: ChildProcess; ended: Promise<AgentRun> }
  run(argv: readonly string[], options?: RunAgentOptions): Promise<AgentRun>
}

/**
 * The bundle that ships, built anew into a directory of its own.
 *
 * @param program - the agent, or the operators' program
 */
export function buildAgent(program: 'agent' | 'fleet' = 'agent'): Agent {
  return agentIn(
    `${program}.cjs`,
    (bundle) => execFileSync(process.execPath, [resolve(__dirname, '../../scripts/build.mjs'), bundle, program]),
    (command, stdout) => parseLastLine(`${program === 'agent' ? '' : 'fleet-'}${command}`, stdout),
  )
}

/** The bundle of an earlier version, of which test/fixtures/ says how it was made. What it tells programs is taken as it is. */
export function agentOfVersion(version: string): Agent {
  const stored = readFileSync(resolve(__dirname, `../fixtures/agent-${version}/agent.cjs.zst`))
  return agentIn(
    'agent.cjs',
    (bundle) => writeFileSync(bundle, zstdDecompressSync(stored)),
    (_, stdout) => readLastLine(stdout),
  )
}

/** @param place - puts the bundle where it is told to */
function agentIn(
  name: string,
  place: (bundle: string) => void,
  parse: (command: string, stdout: string) => unknown,
): Agent {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-'))
  chmodSync(directory, 0o755) // for those who are not root
  const bundle = join(directory, name)
  place(bundle)

  const start: Agent['start'] = (argv, { environment = {}, uid, nodeArguments = [], timeoutSeconds } = {}) => {
    const child = spawn(process.execPath, [...nodeArguments, bundle, ...argv], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'], HOME: directory, AWS_EC2_METADATA_DISABLED: 'true', ...environment },
      ...(uid !== undefined && { uid }),
      ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds * 1000, killSignal: 'SIGKILL' as const }),
    })
    const collect = async (): Promise<AgentRun> => {
      const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
      return {
        status: child.exitCode,
        stdout,
        stderr,
        json: parse(argv[0] ?? '', stdout),
      }
    }
    return { child, ended: collect() }
  }
  return {
    bundle,
    start,
    run: (argv, options) => start(argv, options).ended,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true }),
  }
}
