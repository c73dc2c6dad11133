/** One pass over a fleet as the auditor makes it, as a program: `node fleet-pass.cjs ENDPOINT` prints what it saw. */
import { agentVersion } from '../agent/backup/system-record.io'
import { createLog } from '../agent/lib/log'
import { neverAborted } from '../agent/lib/never-aborted'
import { runManifestParserIfAsked } from '../fleet/evidence/parser-thread.io'
import { writeState } from '../fleet/evidence/state-file.io'
import { fleetConfigSchema } from '../fleet/model/config'
import { remember } from '../fleet/model/memory'
import { keepHeapSmall } from '../fleet/heap.io'
import { observeFleet } from '../fleet/observe.io'
import { openVault } from '../fleet/vault.io'

const CONFIG = fleetConfigSchema.parse({
  classes: [{ name: 'daily', maxAgeHours: 36, expireAfterDays: 35 }],
  schedules: [{ name: 'nightly', class: 'daily', tag: { key: 'Snapstream', value: 'daily' } }],
})

async function pass(endpointUrl: string): Promise<void> {
  keepHeapSmall()
  const log = createLog(
    'warn',
    () => new Date(),
    (line) => console.error(line),
  )
  const signal = neverAborted()
  const { vault } = await openVault({ bucket: 'bench', region: 'us-east-1', endpointUrl }, process.env, { log, signal })
  const deps = {
    vault,
    log,
    signal,
    now: () => new Date(),
    openAccount: () => Promise.reject(new Error('there is none')),
  }
  const seen = await observeFleet(deps, { config: CONFIG, inventory: 'remember' })
  const memories = new Map(remember(seen.view, seen.memories).map((memory) => [memory.host, memory]))
  await writeState(deps, { ...seen, version: agentVersion, memories })
  const runs = [...seen.histories.values()].flatMap(({ classes }) => classes.map((each) => each.runs.length))
  const total = runs.reduce((sum, count) => sum + count, 0)
  console.log(JSON.stringify({ hosts: seen.view.hosts.length, runs: total, protected: seen.view.counts.protected }))
  process.exit(0)
}

if (!runManifestParserIfAsked()) void pass(process.argv[2]!)
