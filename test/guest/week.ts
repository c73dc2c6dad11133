/** Nights of a guest, each brought back whole, by the agent and by hand, and held against what is on its volumes still. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatArgv } from '../../agent/host/argv'
import { tarExtract } from '../../agent/tar/commands'
import type { VolumeBackup } from '../../agent/run/manifest'
import { compareTrees } from '../support/tree/compare'
import type { GuestTrees } from '../support/tree/guest-trees'
import type { AgentResult, Installation } from './agent'
import type { Guest } from './guest'

export interface Week {
  readonly guest: Guest
  readonly agent: Installation
  readonly trees: GuestTrees
  /** What is backed up each night. */
  readonly mountPoints: readonly string[]
  /** A directory in the guest with room for all of it, and for one volume more. */
  readonly scratch: string
  /** A directory of this machine that the guest sees in the same place. */
  readonly shared: string
  /** What `backup` is given besides. */
  readonly options?: readonly string[]
}

export interface Nights {
  backUp(...options: readonly string[]): Promise<AgentResult>
  /** Restores a night, and one of its volumes by hand too, another one each time. */
  comesBack(night: AgentResult): Promise<void>
}

export const volumesOf = ({ json }: AgentResult) => json.volumes as readonly VolumeBackup[]

/** By mount point. */
export const levelsOf = (night: AgentResult) =>
  Object.fromEntries(volumesOf(night).map(({ mountPoint, level }) => [mountPoint, level]))

export function nightsOf({ guest, agent, trees, mountPoints, scratch, shared, options = [] }: Week): Nights {
  const [restored, byHand] = [`${scratch}/restored`, `${scratch}/by-hand`] as const
  let nights = 0
  let fetched = 0

  async function backUp(...more: readonly string[]): Promise<AgentResult> {
    await guest.run(['sync'])
    const volumes = mountPoints.flatMap((mountPoint) => ['--volumes', mountPoint])
    const all = ['--level', 'auto', '--verify', 'source', ...volumes, ...options, ...more]
    const result = await agent.run('backup', ...all)
    expect({ status: result.status, stderr: result.stderr }).toEqual({ status: 0, stderr: '' })
    return result
  }

  async function comesBack(night: AgentResult): Promise<void> {
    await guest.run(['rm', '-rf', restored, byHand])
    const result = await agent.run('restore', '--run', night.json.run, '--target', restored)
    expect({ status: result.status, stderr: result.stderr }).toEqual({ status: 0, stderr: '' })
    const handsOn = mountPoints[nights++ % mountPoints.length]!
    await restoreByHand(volumesOf(night).find(({ mountPoint }) => mountPoint === handsOn)!)
    const places = [...mountPoints, ...mountPoints.map((mountPoint) => `${restored}${mountPoint}`), byHand]
    const walked = await trees.walkAll(guest, places)
    mountPoints.forEach((mountPoint, index) => {
      const before = walked[index]!
      const after = [walked[mountPoints.length + index]!, ...(mountPoint === handsOn ? [walked.at(-1)!] : [])]
      for (const tree of after) expect([mountPoint, compareTrees(before, tree)]).toEqual([mountPoint, []])
    })
  }

  /** Extracts the base, removes what the list names, extracts the differential over it: plain zstd, rm and tar. */
  async function restoreByHand({ archive, base, removed }: VolumeBackup): Promise<void> {
    await guest.run(['mkdir', '-p', byHand])
    if (base) await extract(base.archive)
    if (removed) await guest.run(['bash', '-o', 'pipefail', '-ec', REMOVE, 'sh', byHand, await fetch([removed.key])])
    await extract(archive)
  }

  async function extract({ segments }: VolumeBackup['archive']): Promise<void> {
    const file = await fetch(segments.map(({ key }) => key))
    await guest.run(['bash', '-o', 'pipefail', '-ec', `zstd -dc ${file} | ${formatArgv(tarExtract(byHand))}`])
  }

  async function fetch(keys: readonly string[]): Promise<string> {
    // Another name each time: the guest keeps what it has read of a file.
    const file = join(shared, String(++fetched))
    await writeFile(file, Buffer.concat(await Promise.all(keys.map((key) => agent.read(key)))))
    return file
  }

  return { backUp, comesBack }
}
const REMOVE = 'cd "$1"; zstd -dc "$2" | xargs -0 -r rm -rf --'
