import type { Debris } from '../../agent/find/debris-report'
import { columns as table, counted, formatBytes, joinLines } from '../../agent/lib/text'
import { ageOf } from '../model/wording'
import { wrap } from './layout'
import type { Told } from '../../agent/outcome'
import type { fleetDebrisOutput } from './output-schema'

export type DebrisOutput = Told<typeof fleetDebrisOutput>
export type HostDebris = DebrisOutput['hosts'][number]

/** Hosts that people are shown. */
const SHOWN_MAX = 100

/**
 * @param hosts - that have any, in any order
 * @param hostsSeen - hosts that have any data
 * @param unfinished - undefined where uploads cannot be listed
 */
export function summarizeDebris(
  hosts: readonly HostDebris[],
  hostsSeen: number,
  unfinished: Required<Pick<Debris, 'uploads' | 'totalUploads'>> | undefined,
): DebrisOutput {
  const sum = (field: 'runs' | 'objects' | 'bytes') => hosts.reduce((total, host) => total + host[field], 0)
  return {
    ...{ hostsSeen, totalHosts: hosts.length, runs: sum('runs'), objects: sum('objects'), bytes: sum('bytes') },
    hosts: hosts.toSorted((a, b) => b.bytes - a.bytes),
    ...(unfinished && { ...unfinished, uploads: unfinished.uploads.map(inSeconds) }),
  }
}

function inSeconds({ initiatedAt, ...upload }: Required<Debris>['uploads'][number]) {
  return { ...upload, ...(initiatedAt !== undefined && { initiatedAt: secondsOf(initiatedAt) }) }
}

/** @param time - in ISO 8601 */
export function secondsOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000)
}

export interface DebrisOptions {
  readonly bucket: string
  /** By the server's clock, in seconds. */
  readonly now: number
  /** Characters in a line. */
  readonly columns: number
}

/**
 * The sum first, then the hosts with most of it.
 */
export function formatDebris(
  { hosts, hostsSeen, runs, objects, bytes, uploads, totalUploads }: DebrisOutput,
  { bucket, now, columns }: DebrisOptions,
): string {
  const note = uploads ? [] : ['  unfinished uploads are not known: these credentials may not list them']
  if (hostsSeen === 0 && !totalUploads)
    return joinLines([`No host has any data in ${bucket}. Is this the right bucket?`, ...note])
  if (hosts.length === 0 && !totalUploads)
    return joinLines([`All data of ${counted(hostsSeen, 'host')} belongs to runs that have a manifest.`, ...note])
  const shown = hosts.slice(0, SHOWN_MAX)
  const more = hosts.length - shown.length
  return joinLines([
    `${counted(objects, 'object')} of ${counted(runs, 'run')} without a manifest (${formatBytes(bytes)}) of ${counted(hosts.length, 'host')}` +
      (totalUploads === undefined ? '' : `; ${counted(totalUploads, 'unfinished upload')}`),
    ...note,
    ...table([
      ...(shown.length > 0 ? [['SIZE', 'RUNS', 'OBJECTS', 'NEWEST', 'RUNNING?', 'HOST']] : []),
      ...shown.map((host) => [
        formatBytes(host.bytes),
        String(host.runs),
        String(host.objects),
        ageOf(host.newestAt, now),
        host.mayBeRunning === 0 ? '' : String(host.mayBeRunning),
        host.host,
      ]),
    ]),
    ...(more > 0 ? [`  … and ${counted(more, 'more host')}: --json has all of them`] : []),
    ...(uploads ?? []).slice(0, SHOWN_MAX).map(({ key, initiatedAt, mayBeRunning }) => {
      const begun = initiatedAt === undefined ? '' : `, begun ${ageOf(initiatedAt, now)} ago`
      return `  upload ${key}${begun}${mayBeRunning ? ': may still be running' : ''}`
    }),
    ...wrap(
      'None of it counts as a backup; what may still be running will have its manifest at its end. Runs of one host: snapstream list --debris --host HOST',
      columns,
      '  ',
    ),
  ])
}
