/** Reads what the kernel and the mount table say about this host's filesystems. */
import type { HostDeps } from '../context'
import {
  DF,
  DF_INODES,
  FINDMNT,
  findmntWithIds,
  LSBLK,
  parseDf,
  parseFindmnt,
  parseLsblk,
  type HostFilesystems,
  type Mount,
} from './mounts'

/** What the kernel answers at once, unless a device or a server does not answer it. */
const KERNEL = { timeoutSeconds: 30 }
/** Of several that are asked one after another. */
const DEVICE = { timeoutSeconds: 5 }

/** @throws AgentError TOOL_MISSING, OUTPUT_UNREADABLE, COMMAND_FAILED */
export async function readFilesystems(deps: HostDeps): Promise<HostFilesystems> {
  const { host, signal } = deps
  return {
    mounts: await readIds(deps, await readMounts(deps)),
    devices: parseLsblk(await host.run(LSBLK, signal, KERNEL)),
    usedBytes: parseDf((await host.attempt(DF, signal, KERNEL)).stdout),
  }
}

/** Without ids: no device is read for it. Throws as `readFilesystems`. */
export async function readMounts({ host, signal }: HostDeps): Promise<Mount[]> {
  return parseFindmnt(await host.run(FINDMNT, signal, KERNEL))
}

/** By device, of filesystems that can be backed up. Empty where df cannot tell. */
export async function readUsedInodes({ host, signal }: HostDeps): Promise<ReadonlyMap<string, number>> {
  return parseDf((await host.attempt(DF_INODES, signal, KERNEL)).stdout)
}

/**
 * Reading the ids of filesystems reads devices, one of which may not answer: then each is asked by itself, and that one
 * has no id.
 */
async function readIds({ host, signal, log }: HostDeps, mounts: readonly Mount[]): Promise<readonly Mount[]> {
  const all = await host.attempt(findmntWithIds(), signal, KERNEL)
  if (all.status === 0) return parseFindmnt(all.stdout)
  log.warn('a device does not answer: the ids of filesystems are read from each by itself')
  const found: Mount[] = []
  for (const source of new Set(mounts.map(({ source }) => source).filter((source) => source.startsWith('/dev/')))) {
    const one = await host.attempt(findmntWithIds(source), signal, DEVICE)
    if (one.status === 0) found.push(...parseFindmnt(one.stdout))
  }
  return mounts.map((mount) => ({ ...found.find(({ source }) => source === mount.source), ...mount }))
}
