/** What a manifest keeps of a host's LVM. */
import { access, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Argv, HostDeps } from '../../context'
import { takeTemporaryDirectory } from '../../host/temporary-directory.io'
import { parseOutput } from '../../host/tool-output'
import { LVM_TIMEOUT_SECONDS } from './commands.io'
import type { SourceLayout } from '../source'
import type { LvmVolume } from './claim'
import { DEVICES_FILE } from './record'
import { LVS, parseLvs, PVS, THIN_POOLS, VGS } from './reports'

const LVM = { timeoutSeconds: LVM_TIMEOUT_SECONDS }

export async function readLayout(deps: HostDeps, volumes: readonly LvmVolume[]): Promise<SourceLayout> {
  const lvs = await deps.host.run(LVS, deps.signal, LVM)
  const active = parseLvs(lvs).filter(({ deviceNumber, suspended }) => deviceNumber !== undefined && !suspended)
  return {
    layouts: {
      lvm: {
        lvs: parseOutput('lvs', lvs),
        thinPools: await readReport(deps, THIN_POOLS),
        vgs: await readReport(deps, VGS),
        pvs: await readReport(deps, PVS),
        hasDevicesFile: await isThere(DEVICES_FILE),
        groupConfigurations: await readGroupConfigurations(deps, [...new Set(volumes.map(({ group }) => group))]),
      },
    },
    devices: active.map(({ device }) => device),
  }
}

async function readReport({ host, signal }: HostDeps, argv: Argv): Promise<unknown> {
  return parseOutput(argv[0], await host.run(argv, signal, LVM))
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function readGroupConfigurations(deps: HostDeps, groups: readonly string[]): Promise<Record<string, string>> {
  await using directory = await takeTemporaryDirectory()
  const texts: Record<string, string> = {}
  for (const group of groups) {
    const file = join(directory.path, group)
    await deps.host.run(['vgcfgbackup', '--file', file, group], deps.signal, LVM)
    texts[group] = await readFile(file, 'utf8')
  }
  return texts
}
