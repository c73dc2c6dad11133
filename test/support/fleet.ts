/** Fleets to judge: each builder makes what is well, and a test says what is not. */
import type { z } from 'zod'
import { fleetConfigSchema, type FleetConfig } from '../../fleet/model/config'
import type { FleetCase } from '../../fleet/model/judge'
import type { ExpectedHost, HostHistory, HostMemory, RunRecord } from '../../fleet/model/records'

/** 2026-03-01T03:00:00Z */
export const NOW = Date.UTC(2026, 2, 1, 3) / 1000
export const HOUR = 3600
export const DAY = 86400
export const ACCOUNT = '111122223333'
export const REGION = 'eu-west-1'

export function arnOf(id: string, account = ACCOUNT, region = REGION): string {
  return `arn:aws:ec2:${region}:${account}:instance/${id}`
}

export function fleetConfig(changes: Partial<z.input<typeof fleetConfigSchema>> = {}): FleetConfig {
  return fleetConfigSchema.parse({
    classes: [
      { name: 'daily', maxAgeHours: 36, expireAfterDays: 35 },
      { name: 'weekly', maxAgeHours: 200, expireAfterDays: 180 },
    ],
    schedules: [{ name: 'nightly', class: 'daily', tag: { key: 'Backup', value: 'true' } }],
    accounts: [{ account: ACCOUNT, region: REGION }],
    ...changes,
  })
}

/** The name of a run that began at a time. */
export function runName(at: number, random = 'abc123'): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z-${random}`
}

/** A good run, written an hour after it began. */
export function aRun(writtenAt: number, changes: Partial<RunRecord> = {}): RunRecord {
  return {
    run: runName(writtenAt - HOUR),
    writtenAt,
    state: 'complete',
    verified: 'checksum',
    volumes: 2,
    objects: 4,
    entries: 100_000,
    rawBytes: 40 * 1024 ** 3,
    storedBytes: 16 * 1024 ** 3,
    catalogBytes: 8 * 1024 ** 2,
    seconds: 600,
    ...changes,
  }
}

/** Nightly runs, the newest first. */
export function nights(count: number, newestAt = NOW - 2 * HOUR, changes: Partial<RunRecord> = {}): RunRecord[] {
  return Array.from({ length: count }, (_, night) => aRun(newestAt - night * DAY, changes))
}

export function aHistory(host: string, runs: readonly RunRecord[], name = 'daily'): HostHistory {
  return { host, classes: [{ class: name, runs }] }
}

/** A running, tagged and managed instance. */
export function anInstance(id: string, changes: Partial<ExpectedHost> = {}): ExpectedHost {
  return {
    host: arnOf(id),
    name: `web-${id}`,
    account: ACCOUNT,
    region: REGION,
    power: 'running',
    expectedBy: ['tag', 'managed'],
    classes: ['daily'],
    managed: { ping: 'online', lastPingAt: NOW - 60 },
    ...changes,
  }
}

export function aFleet(
  hosts: readonly ExpectedHost[],
  histories: readonly HostHistory[],
  changes: Partial<Omit<FleetCase, 'memories'>> & { readonly memories?: readonly HostMemory[] } = {},
): FleetCase {
  const { memories = [], ...rest } = changes
  return {
    config: fleetConfig(),
    inventory: { hosts, accounts: [{ account: ACCOUNT, region: REGION }] },
    histories: new Map(histories.map((history) => [history.host, history])),
    memories: new Map(memories.map((memory) => [memory.host, memory])),
    explanations: [],
    now: NOW,
    ...rest,
  }
}
