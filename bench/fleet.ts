/** `npm run bench -- fleet`: what passes of the auditor over a large fleet take, each a process of its own. */
import { measure, type Measurement } from './measure'
import { formatArgv } from '../agent/host/argv'

/** What a pass said, and what it took. */
interface Pass extends Measurement {
  readonly what: string
  readonly hosts: number
  readonly runs: number
  readonly requests: Readonly<Record<string, number>>
}

export const FLEET_SIZE = { hosts: 5000, runs: 35 }

/** Each after the one before: hosts that have one more run by then. */
const PASSES: readonly (readonly [what: string, newRuns: (hosts: number) => number])[] = [
  ['the first pass: everything is new', () => 0],
  ['nothing is new', () => 0],
  ['an hour of the night: a quarter of the hosts has a new run', (hosts) => Math.floor(hosts / 4)],
  ['all other hosts have one, too', (hosts) => hosts],
]

/** @param program - the pass, bundled for this run */
export async function measureFleet(endpointUrl: string, program: string, hosts: number): Promise<readonly Pass[]> {
  const passes: Pass[] = []
  for (const [what, newRuns] of PASSES) {
    await fetch(`${endpointUrl}/-/night?hosts=${newRuns(hosts)}`)
    const taken = await measure(formatArgv([process.execPath, program, endpointUrl]))
    const said = JSON.parse(taken.output) as Pick<Pass, 'hosts' | 'runs'>
    const requests = (await (await fetch(`${endpointUrl}/-/requests`)).json()) as Pass['requests']
    passes.push({ what, ...taken, hosts: said.hosts, runs: said.runs, requests })
  }
  return passes
}

export function formatPasses(passes: readonly Pass[]): string {
  const lines = passes.map(({ what, wallSeconds, cpuSeconds, peakMiB, hosts, runs, requests }) => {
    const sent = Object.entries(requests).map(([kind, count]) => `${count} ${kind}`)
    const total = Object.values(requests).reduce((sum, count) => sum + count, 0)
    return [
      `${what} (${hosts} hosts, ${runs} runs)`,
      `  ${wallSeconds.toFixed(1)} s, processor ${cpuSeconds.toFixed(1)} s, ${Math.round(peakMiB)} MiB`,
      `  ${total} requests: ${sent.join(', ')}`,
    ].join('\n')
  })
  return lines.join('\n')
}
