/** A fleet's objects, worked out from their keys and stored nowhere: thousands of hosts, weeks of nightly runs. */
import { formatRun } from '../agent/run/run-id'
import { fleetManifest, manifestBytes } from './fleet-manifest'

export interface FleetSize {
  readonly hosts: number
  /** Of each host, one a night. */
  readonly runs: number
}

export interface FleetObject {
  readonly key: string
  readonly sizeBytes: number
  /** In milliseconds since 1970. */
  readonly writtenAt: number
}

/** Nights are counted from here: the newest run is of the last night before now. */
const DAY_MS = 86_400_000
/** Hosts begin within four hours, and take twenty minutes. */
const SPREAD_MS = 4 * 3_600_000
const TAKES_MS = 20 * 60_000

export function fleetObjects({ hosts, runs }: FleetSize, now: number) {
  /** A night's first run. */
  const lastNight = Math.floor(now / DAY_MS) * DAY_MS - DAY_MS
  const names = Array.from({ length: hosts }, (_, index) => nameOf(index)).sort()
  const indexes = new Map(names.map((name, index) => [name, index]))
  /** Hosts, in order, that have had one more night. */
  let more = 0

  const startOf = (host: number, night: number) =>
    lastNight - (runs - 1 - night) * DAY_MS + Math.floor((host / hosts) * SPREAD_MS)
  const runOf = (host: number, night: number) =>
    formatRun(new Date(startOf(host, night)), Uint8Array.from([host, host >> 8, night, 1, 2, 3]))
  const nightsOf = (host: number) => runs + (host < more ? 1 : 0)

  const manifestOf = (host: number, night: number) =>
    fleetManifest(
      { class: 'daily', host: names[host]!, run: runOf(host, night) },
      new Date(startOf(host, night)),
      host * 64 + night,
    )

  /** The objects of a kind that a run has. */
  const objectsOf = (kind: string, host: number, night: number, run: string): readonly FleetObject[] => {
    const start = startOf(host, night)
    const place = `daily/${names[host]!}/${run}`
    switch (kind) {
      case 'manifests':
        return [{ key: `${kind}/${place}.json`, sizeBytes: manifestBytes(), writtenAt: start + TAKES_MS }]
      case 'data':
        return stored(manifestOf(host, night).data, start)
      case 'catalogs':
        return stored(manifestOf(host, night).catalogs, start)
      // Each host verifies once a week.
      case 'verifications':
        return (host + night) % 7 === 0 ? [verdict(`${kind}/${place}`, start + 2 * TAKES_MS)] : []
      // Operators have looked at one in a thousand.
      case 'verdicts':
        return (host * 31 + night) % 1000 === 0 ? [verdict(`${kind}/${place}`, start + DAY_MS)] : []
      default:
        return []
    }
  }

  /** In key order, from the first key after the given one. */
  function* list(prefix: string, after: string): Generator<FleetObject> {
    const [kind = '', className = '', ...place] = prefix.split('/')
    if (!'daily'.startsWith(className)) return
    const begin = `${kind}/daily/`
    const wanted = place.join('/').replace(/\/$/, '')
    const from = after.startsWith(begin) ? after.slice(begin.length) : ''
    let host = 0
    for (let low = 0, high = names.length; low < high;) {
      const middle = (low + high) >> 1
      // A host whose name is a prefix of the key comes into question itself.
      if (`${names[middle]!}/\uffff` < (wanted || from)) host = low = middle + 1
      else high = middle
    }
    for (; host < names.length; host++) {
      if (wanted && names[host] !== wanted) return
      for (let night = 0; night < nightsOf(host); night++) {
        const run = runOf(host, night)
        if (`${begin}${names[host]!}/${run}\uffff` <= after) continue
        for (const object of objectsOf(kind, host, night, run)) if (object.key > after) yield object
      }
    }
  }

  function read(key: string): string | undefined {
    const [kind = '', , arn = '', rest = '', run = ''] = key.split('/')
    const name = `${arn}/${rest}`
    const host = indexes.get(name)
    if (host === undefined) return undefined
    if (kind === 'verifications' || kind === 'verdicts') return VERDICT
    const day = Date.UTC(Number(run.slice(0, 4)), Number(run.slice(4, 6)) - 1, Number(run.slice(6, 8)))
    const night = Math.round((day - lastNight) / DAY_MS) + runs - 1
    const isThere = night < nightsOf(host) && `${runOf(host, night)}.json` === run
    return isThere ? manifestOf(host, night).text : undefined
  }

  return { list, read, names, addNight: (count: number) => void (more = count) }
}

const VERDICT = JSON.stringify({ depth: 'stream', ok: true, volumes: [{ volume: 'vg0-root' }, { volume: 'vg0-srv' }] })

function verdict(place: string, writtenAt: number): FleetObject {
  return { key: `${place}/20260101T000000Z.json`, sizeBytes: VERDICT.length, writtenAt }
}

function stored(objects: readonly (readonly [string, number])[], start: number): FleetObject[] {
  return objects.map(([key, sizeBytes]) => ({ key, sizeBytes, writtenAt: start + TAKES_MS / 2 }))
}

function nameOf(index: number): string {
  const id = (BigInt(index + 1) * 0x9e3779b97f4a7c15n) & 0xffff_ffff_ffff_ffffn
  return `arn:aws:ec2:eu-west-1:111122223333:instance/i-0${id.toString(16).padStart(16, '0')}`
}
