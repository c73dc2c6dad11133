/**
 * Writes test/fixtures/lvm-VERSION/: what the commands of agent/source/lvm/reports.ts and mounts.ts answer on the host of volumes.ts.
 *
 * Usage: npx tsx test/guest/capture-fixtures.ts
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LVS, PVS, VGS } from '../../agent/source/lvm/reports'
import { findmntWithIds, LSBLK } from '../../agent/host/mounts'
import { bootGuest } from './guest'
import { DISKS_MIB, makeVolumes } from './volumes'

async function capture(): Promise<void> {
  await using guest = await bootGuest({ disksMiB: DISKS_MIB })
  await makeVolumes(guest)
  const version = /LVM version:\s+([\d.]+)/.exec(await guest.run(['lvm', 'version']))?.[1] ?? 'unknown'
  const directory = join(__dirname, '..', 'fixtures', `lvm-${version}`)
  await mkdir(directory, { recursive: true })
  for (const argv of [LVS, VGS, PVS, findmntWithIds(), LSBLK]) {
    await writeFile(join(directory, `${argv[0]}.json`), await guest.run(argv))
  }
}

void capture()
