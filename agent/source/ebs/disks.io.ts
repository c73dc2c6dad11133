/** Reads which disks there are, and which volumes of EBS they are. */
import type { HostDeps } from '../../context'
import { AgentError } from '../../errors'
import { blkid } from '../../host/mounts'
import { LSBLK_DISKS, parseDisks, parsePhysicalVolumes, parseSysfs, readSysfs, type Device, type Disks } from './disks'

/** What the kernel answers at once, unless a device does not answer it. */
const KERNEL = { timeoutSeconds: 30 }
/** Of blkid: nothing was found. */
const NOTHING = 2

/** @throws AgentError TOOL_MISSING, OUTPUT_UNREADABLE, COMMAND_FAILED */
export async function readDisks({ host, signal }: Pick<HostDeps, 'host' | 'signal'>): Promise<Disks> {
  const devices = parseDisks(await host.run(LSBLK_DISKS, signal, KERNEL))
  return { devices, ...parseSysfs((await host.attempt(readSysfs(devices), signal, KERNEL)).stdout) }
}

/** @returns names of those that are physical volumes of LVM, whether that knows them or not. Throws as `readDisks`. */
export async function readPhysicalVolumes(
  { host, signal }: Pick<HostDeps, 'host' | 'signal'>,
  devices: readonly Device[],
): Promise<readonly string[]> {
  if (devices.length === 0) return []
  const command = blkid(devices.map(({ name }) => `/dev/${name}`))
  const { status, stdout, stderr } = await host.attempt(command, signal, KERNEL)
  if (status === 0 || status === NOTHING) return parsePhysicalVolumes(stdout)
  throw new AgentError('COMMAND_FAILED', `blkid cannot tell which disks LVM has: ${stderr.trim()}`, {
    hint: 'A disk does not answer: look at "dmesg".',
  })
}
