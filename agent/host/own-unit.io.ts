/**
 * Whether what must not end with the agent can be given a unit of its own: the end of the agent's unit, whatever brought
 * it about, is the end of every process in it, also of those in sessions of their own (systemd.kill(5)).
 */
import { neverAborted } from '../lib/never-aborted'
import { randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { describeError } from '../errors'
import { systemdRun } from './transient-unit'
import type { HostDeps } from '../context'

/** Where this is, systemd is process 1 (sd_booted(3)). */
const BOOTED = '/run/systemd/system'
/** A unit starts within a second, on a busy host too (design limit). */
const PROBE_SECONDS_MAX = 20

/** Tries it: systemd may be there and out of reach, as from a container that sees the host's /run. */
export async function canStartUnits(
  { host, log }: Pick<HostDeps, 'host' | 'log'>,
  booted: string = BOOTED,
): Promise<boolean> {
  const isBooted = await stat(booted).then(
    () => true,
    () => false,
  )
  if (!isBooted) return false
  const problem = await probe(host).catch((error: unknown) => describeError(error)[0])
  if (problem === undefined) return true
  log.warn(`hooks and what they start end with the agent, since systemd starts no units for it: ${problem}`)
  return false
}

async function probe(host: HostDeps['host']): Promise<string | undefined> {
  const unit = {
    name: unitName('probe'),
    description: 'Snapstream: whether units can be started',
    environment: {},
    children: 'are killed',
  } as const
  const { status, stderr } = await host.attempt(systemdRun(unit, ['true']), neverAborted(), {
    timeoutSeconds: PROBE_SECONDS_MAX,
  })
  return status === 0 ? undefined : `systemd-run exited with status ${status ?? 'unknown'}: ${stderr.trim()}`
}

/** One that no unit has. */
export function unitName(...words: readonly string[]): string {
  return ['snapstream', ...words, randomBytes(4).toString('hex')].join('-')
}

/** What every command of ours has (`Host`), which systemd would not pass on. @param more - added to it */
export function unitEnvironment(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LC_ALL: 'C', ...more }
}
