/** Manifests as agents write them: of hosts with two volumes on LVM, each a few of their numbers apart from the others. */
import { readFileSync } from 'node:fs'
import { catalogKey, dataKey, manifestKey, type RunKey } from '../agent/contract'
import { FRAME_BYTES } from '../agent/archive/archive'
import { formatManifest, type Manifest, type VolumeBackup } from '../agent/run/manifest'
import { parseManifest } from '../agent/run/parse-manifest'

/** Of a real guest with LVM, in the repository: what describes the system is the largest part of a manifest. */
const REAL = { class: 'daily', host: 'guest', run: '20261123T094900Z-s5rldw' }
const REAL_DIRECTORY = 'test/golden/v1'
/** Volume groups of most hosts are smaller than that of the guest. */
const CONFIGURATION_CHARACTERS = 3000
/** It has more disks, too. */
const DISKS = 1

const VOLUMES = ['vg0-root', 'vg0-srv'] as const

/** In their places comes what differs: as long as they are, so that every manifest has the same size. */
const MARKS = {
  key: {
    class: 'daily',
    host: `arn:aws:ec2:eu-west-1:111122223333:instance/i-${'7'.repeat(17)}`,
    run: '77777777T777777Z-777777',
  },
  time: '7777-77-77T77:77:77.777Z',
  frames: 77_777,
  rawBytes: 77_777_777_777,
  storedBytes: 77_777_777_778,
  entries: 777_777,
  catalogBytes: 7_777_777,
}

export interface FleetManifest {
  readonly key: string
  readonly text: string
  /** Keys and sizes of the archives. */
  readonly data: readonly (readonly [string, number])[]
  readonly catalogs: readonly (readonly [string, number])[]
}

/** @param seed - what numbers are made from */
export function fleetManifest(runKey: RunKey, startedAt: Date, seed: number): FleetManifest {
  const { frames, storedBytes, entries, catalogBytes } = numbersOf(seed)
  return {
    key: manifestKey(runKey),
    get text() {
      const values: Readonly<Record<string, string>> = {
        [MARKS.key.host]: runKey.host,
        [MARKS.key.run]: runKey.run,
        [MARKS.time]: startedAt.toISOString(),
        [MARKS.frames]: String(frames),
        [MARKS.rawBytes]: String(frames * FRAME_BYTES),
        [MARKS.storedBytes]: String(storedBytes),
        [MARKS.entries]: String(entries),
        [MARKS.catalogBytes]: String(catalogBytes),
      }
      return template()
        .map((piece) => values[piece] ?? piece)
        .join('')
    },
    data: VOLUMES.map((volume) => [dataKey(runKey, volume, 'zstd', 0), storedBytes] as const),
    catalogs: VOLUMES.map((volume) => [catalogKey(runKey, volume), catalogBytes] as const),
  }
}

function numbersOf(seed: number) {
  const frames = 10_000 + ((seed * 7919) % 9000)
  return {
    frames,
    storedBytes: 10_000_000_000 + ((seed * 104_729) % 999_999_937),
    entries: 100_000 + ((seed * 31) % 99_991),
    catalogBytes: 1_000_000 + ((seed * 17) % 999_983),
  }
}

let pieces: readonly string[] | undefined
let bytes: number | undefined

function template(): readonly string[] {
  if (pieces) return pieces
  const marks = [MARKS.key.host, MARKS.key.run, MARKS.time, MARKS.frames, MARKS.rawBytes, MARKS.storedBytes]
  const all = [...marks, MARKS.entries, MARKS.catalogBytes].map(String).sort((a, b) => b.length - a.length)
  pieces = formatManifest(marked()).split(new RegExp(`(${all.join('|')})`))
  return pieces
}

/** All manifests are of this size. */
export function manifestBytes(): number {
  return (bytes ??= template().join('').length)
}

function marked(): Manifest {
  const real = parseManifest(readFileSync(`${REAL_DIRECTORY}/${manifestKey(REAL)}`, 'utf8'), REAL)
  const { lvm, blockDevices } = real.system
  const { blockdevices } = blockDevices as { readonly blockdevices: readonly unknown[] }
  const configurations = Object.entries(lvm?.groupConfigurations ?? {})
  const groupConfigurations = Object.fromEntries(
    configurations.map(([group, text]) => [group, text.slice(0, CONFIGURATION_CHARACTERS)]),
  )
  return {
    ...real,
    ...{ ...MARKS.key, format: 2, startedAt: MARKS.time, finishedAt: MARKS.time, verified: 'stream', failures: [] },
    status: 'complete',
    volumes: VOLUMES.map((volume, index) => markedVolume(real.volumes[0]!, volume, index)),
    system: {
      ...real.system,
      blockDevices: { blockdevices: blockdevices.slice(0, DISKS) },
      ...(lvm && { lvm: { ...lvm, groupConfigurations } }),
    },
  }
}

function markedVolume(real: VolumeBackup, volume: string, index: number): VolumeBackup {
  const [group = '', name = ''] = volume.split('-')
  const { frames, rawBytes, storedBytes, entries, catalogBytes } = MARKS
  const hashes = { crc32: '0badcafe', sha256: 'a'.repeat(64) }
  return {
    ...real,
    volume,
    source: { kind: 'lvm', group, name, snapshot: { type: 'thin', sizeBytes: 1024 ** 3 } },
    mountPoint: index === 0 ? '/' : `/${name}`,
    archive: {
      ...{ compression: 'zstd', frameBytes: FRAME_BYTES, rawBytes, storedBytes, entries, frames },
      segments: [
        { key: dataKey(MARKS.key, volume, 'zstd', 0), sizeBytes: storedBytes, ...hashes, rawOffset: 0, rawBytes },
      ],
      catalog: { key: catalogKey(MARKS.key, volume), sizeBytes: catalogBytes, ...hashes },
    },
  }
}
