/** The two plugins of the SSM agent that the documents use. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Step } from '../../infra/ssm-document'
import type { Invocation } from './runner'

export interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Fetches an object. @throws Error where there is none */
export type Download = (bucket: string, key: string) => Promise<Buffer>

type ScriptStep = Extract<Step, { action: 'aws:runShellScript' }>
type DownloadStep = Extract<Step, { action: 'aws:downloadContent' }>

const STDOUT_CHARACTERS_MAX = 24_000
const STDERR_CHARACTERS_MAX = 8_000
const TIMEOUT_SECONDS = { min: 5, max: 172_800, default: 3600 }
const KILLED = 137

/**
 * Runs a script in a process group of its own, and ends it with SIGKILL to that group. As the agent does, it then waits
 * until nobody holds the script's output any more.
 */
export async function runShellScript(invocation: Invocation, step: ScriptStep): Promise<Output> {
  const directory = join(invocation.orchestrationDirectory, invocation.commandId, step.name)
  mkdirSync(directory, { recursive: true })
  const script = join(directory, '_script.sh')
  writeFileSync(script, `${step.inputs.runCommand.join('\n')}\n`, { mode: 0o700 })

  const child = spawn('sh', ['-c', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...invocation.environment, SSM_COMMAND_ID: invocation.commandId },
  })
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(kill, timeoutSeconds(step) * 1000)
  invocation.signal?.addEventListener('abort', kill)
  const [stdout, stderr, [status, killedBy]] = await Promise.all([
    read(child.stdout, STDOUT_CHARACTERS_MAX),
    read(child.stderr, STDERR_CHARACTERS_MAX),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  clearTimeout(timer)
  invocation.signal?.removeEventListener('abort', kill)
  return { code: status ?? (killedBy === 'SIGKILL' ? KILLED : 1), stdout, stderr }
}

/** What is no number in bounds becomes an hour, without a word. */
function timeoutSeconds(step: ScriptStep): number {
  const seconds = Number(step.inputs.timeoutSeconds)
  return seconds >= TIMEOUT_SECONDS.min && seconds <= TIMEOUT_SECONDS.max ? seconds : TIMEOUT_SECONDS.default
}

async function read(stream: Readable, charactersMax: number): Promise<string> {
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) {
    if (text.length < charactersMax) text += String(chunk)
  }
  return text.slice(0, charactersMax)
}

/** Downloads an object of S3. Nothing is verified. */
export async function downloadContent(download: Download, step: DownloadStep): Promise<Output> {
  const { path } = JSON.parse(step.inputs.sourceInfo) as { path: string }
  const [, bucket, key] = /^https:\/\/([^/]+)\.s3[.-][a-z0-9-]+\.amazonaws\.[a-z.]+\/(.+)$/.exec(path) ?? []
  if (bucket === undefined || key === undefined) return failed(`${path} is no object of S3`)
  const { destinationPath } = step.inputs
  const isDirectory =
    destinationPath.endsWith('/') || (existsSync(destinationPath) && statSync(destinationPath).isDirectory())
  const file = isDirectory ? join(destinationPath, basename(key)) : destinationPath
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, await download(bucket, key))
  } catch (error) {
    return failed(String(error))
  }
  return { code: 0, stdout: `Content downloaded to ${file}`, stderr: '' }
}

function failed(stderr: string): Output {
  return { code: 1, stdout: '', stderr }
}
