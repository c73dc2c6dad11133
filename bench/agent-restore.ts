/** The agent's restore in its own process: `node agent-restore.cjs none|zstd ENDPOINT_URL TARGET`. */
import { AGENT, resolveRequest, type CommandLine } from '../agent/options/agent'
import { restore } from '../agent/restore/restore.io'
import type { Compression } from '../agent/contract'
import { localHost } from '../agent/host/run-command.io'
import { tuneGarbageCollection } from '../agent/lib/buffers.io'
import { s3Store } from '../agent/bucket/store.io'
import { parseArguments } from '../agent/options/parse-argv'
import type { WithHost, RestoreRequest } from '../agent/options/commands'
import { runKeyOf } from './run-key'

async function run(compression: Compression, endpointUrl: string, target: string): Promise<void> {
  const { run, host, class: className } = runKeyOf(compression)
  const argv = [
    'restore',
    '--bucket',
    'bench',
    '--host',
    host,
    '--run',
    run,
    '--class',
    className,
    '--target',
    target,
    '--trust-times',
  ]
  const invocation = parseArguments(AGENT, argv) as CommandLine
  const request = resolveRequest(invocation, {}, {}) as WithHost<RestoreRequest>
  const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => console.error(message) }
  const credentials = async () => ({ accessKeyId: 'bench', secretAccessKey: 'bench' })
  const store = s3Store({ bucket: 'bench', region: 'us-east-1', credentials, endpointUrl, log })
  const deps = { host: localHost, store, log, now: () => new Date(), signal: new AbortController().signal }
  tuneGarbageCollection() // as the agent's command line does
  const { status, summary } = await restore(deps, request)
  if (status !== 0) throw new Error(summary)
}

const [compression, endpointUrl, target] = process.argv.slice(2) as [Compression, string, string]
void run(compression, endpointUrl, target).then(() => process.exit(0))
