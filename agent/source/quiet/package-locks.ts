/** Whether a package manager is at work: what it installs lies half there meanwhile, a kernel in /boot for one. */
import { z } from 'zod'
import type { Argv } from '../../context'
import { parseOutput } from '../../host/tool-output'

/**
 * Held from the first change to the last: of dpkg and apt; of rpm, which dnf, yum, zypper and packagekit have do it (rpm holds its
 * lock while scripts run, those that make an initramfs among them).
 */
const LOCKS = [
  ...['/var/lib/dpkg/lock', '/var/lib/dpkg/lock-frontend'],
  ...['/var/lib/rpm/.rpm.lock', '/usr/lib/sysimage/rpm/.rpm.lock'],
]

export interface PackageLock {
  readonly path: string
  readonly process: string
  readonly command: string
}

export const LSLOCKS: Argv = ['lslocks', '--json', '--notruncate', '--output', 'COMMAND,PID,MODE,PATH']

const row = z.object({
  command: z.string().nullish(),
  /** Of older versions, a text. */
  pid: z.union([z.string(), z.number()]).nullish(),
  mode: z.string().nullish(),
  path: z.string().nullish(),
})

/**
 * Those that somebody holds to write: a query reads only, and who waits (`WRITE*`) has none. Nothing at all is printed where there
 * is no lock on the host.
 *
 * @throws AgentError OUTPUT_UNREADABLE
 */
export function parseLslocks(json: string): PackageLock[] {
  if (json.trim() === '') return []
  const { locks } = parseOutput('lslocks', json, z.object({ locks: z.array(row) }))
  return locks.flatMap(({ command, pid, mode, path }) =>
    mode === 'WRITE' && path && LOCKS.includes(path)
      ? [{ path, process: String(pid ?? ''), command: command ?? '' }]
      : [],
  )
}

/** Whether the file that a process has locked is ours of that name, and not that of its container: two equal lines. */
export function compareLock({ path, process }: PackageLock): Argv {
  return ['stat', '--dereference', '--format=%d:%i', '--', path, `/proc/${process}/root${path}`]
}

export function isSameFile(stat: string): boolean {
  const [ours, theirs] = stat.split('\n')
  return ours === theirs
}

export function describeLock({ path, process, command }: PackageLock): string {
  return `${command || 'a package manager'} (process ${process || '?'}) holds ${path}`
}
