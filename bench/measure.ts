/** Runs command lines and measures what they take. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

export interface Measurement {
  readonly wallSeconds: number
  /** Of all processes of the command line. */
  readonly cpuSeconds: number
  /** Resident memory of its largest process. */
  readonly peakMiB: number
  /** The last line that it wrote. */
  readonly output: string
}

/** Node cannot ask the kernel what its children and theirs have used; Python can, and the AWS CLI needs it anyway. */
const MEASURE = `
import json, resource, subprocess, sys, time
start = time.monotonic()
status = subprocess.call(["bash", "-o", "pipefail", "-c", sys.argv[1]], stdin=subprocess.DEVNULL)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"wallSeconds": wall, "cpuSeconds": used.ru_utime + used.ru_stime, "peakMiB": used.ru_maxrss / 1024}))
sys.exit(status)
`

/** Credentials that the sink does not look at, and nothing of this machine's own configuration. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  LC_ALL: 'C',
  AWS_ACCESS_KEY_ID: 'bench',
  AWS_SECRET_ACCESS_KEY: 'bench',
  AWS_REGION: 'us-east-1',
  AWS_CONFIG_FILE: '/dev/null',
  AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
}

export async function measure(commandLine: string): Promise<Measurement> {
  const child = spawn('python3', ['-c', MEASURE, commandLine], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: ENVIRONMENT,
  })
  const ended = new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject))
  const output = await text(child.stdout)
  if ((await ended) !== 0) throw new Error(`this failed: ${commandLine}`)
  const lines = output.trim().split('\n')
  return { ...(JSON.parse(lines.at(-1)!) as Omit<Measurement, 'output'>), output: lines.at(-2) ?? '' }
}
