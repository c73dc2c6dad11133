/** What is kept of a manifest: numbers of every run, and of the newest what people need to see. */
import type { Archive } from '../../agent/archive/archive'
import type { Compression } from '../../agent/contract'
import { printableLine } from '../../agent/lib/printable'
import { isSizesOnly, type Manifest } from '../../agent/run/manifest'
import type { RunDetail, RunRecord } from '../model/records'

/** Objects of a volume by their sizes; their keys follow from the run and from its name. */
export interface StoredVolume {
  readonly volume: string
  readonly compression: Compression
  /** Of the segments, in order. */
  readonly segmentBytes: readonly number[]
  readonly catalogBytes: number
  /** Of a differential archive: the list of what is removed. */
  readonly removedBytes?: number
  /** Of a differential archive: what it is to be read with. */
  readonly base?: Pick<StoredVolume, 'segmentBytes' | 'catalogBytes'> & { readonly run: string }
}

/** What a manifest says that can be read; what S3 says of it is for others to add. */
export interface Summary {
  readonly record: Omit<RunRecord, 'run' | 'writtenAt'>
  readonly detail?: RunDetail
  readonly stored?: readonly StoredVolume[]
}

/** What is wanted of a manifest besides its numbers. */
export interface Wanted {
  readonly detail?: boolean
  readonly stored?: boolean
}

/** Texts that a host wrote are cut: none is worth more of the state than this. */
const TEXT_CHARACTERS_MAX = 300
/** Lists likewise: a host with more of them is told of by their number. */
const LIST_MAX = 100
/** Runs that one run's bases are in: a volume's base is its last full archive, so that there are few (design limit). */
const BASES_MAX = 100

export function summarize(manifest: Manifest, { detail, stored }: Wanted): Summary {
  return {
    record: recordOf(manifest),
    ...(detail && { detail: detailOf(manifest) }),
    ...(stored && { stored: manifest.volumes.map(storedOf) }),
  }
}

function recordOf(manifest: Manifest): Summary['record'] {
  const { status, verified, volumes } = manifest
  const archives = volumes.map(({ archive }) => archive)
  const sum = (of: (archive: (typeof archives)[number]) => number) => archives.reduce((all, each) => all + of(each), 0)
  const seconds = (Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt)) / 1000
  return {
    ...{ state: status, verified, volumes: volumes.length },
    ...(isSizesOnly(manifest) && { sizesOnly: true }),
    objects: sum(({ segments }) => segments.length + 1),
    entries: sum(({ entries }) => entries),
    rawBytes: sum(({ rawBytes }) => rawBytes),
    storedBytes: sum(({ storedBytes }) => storedBytes),
    catalogBytes:
      sum(({ catalog }) => catalog.sizeBytes) +
      volumes.reduce((all, { removed }) => all + (removed?.sizeBytes ?? 0), 0),
    seconds: Math.max(0, Math.round(seconds)),
    ...recentOf(volumes),
    ...basesOf(volumes),
  }
}

function basesOf(volumes: Manifest['volumes']): Pick<RunRecord, 'bases'> {
  const bases = [...new Set(volumes.flatMap(({ base }) => base?.run ?? []))].sort()
  return bases.length > 0 ? { bases: bases.slice(-BASES_MAX) } : {}
}

/** Known of the run only where it is of every volume. */
function recentOf(volumes: Manifest['volumes']): Pick<RunRecord, 'recentEntries'> {
  let recentEntries = 0
  for (const volume of volumes) {
    if (volume.recentEntries === undefined) return {}
    recentEntries += volume.recentEntries
  }
  return { recentEntries }
}

function detailOf(manifest: Manifest): RunDetail {
  const { run, system, agent, volumes, failures, notBackedUp } = manifest
  return {
    ...{ run, hostname: cut(system.hostname), os: osOf(system.osRelease), agentVersion: cut(agent.version) },
    volumes: volumes.slice(0, LIST_MAX).map(({ volume, mountPoint, filesystem, source, archive, base, warnings }) => ({
      ...{ volume: cut(volume), mountPoint: cut(mountPoint), filesystem: cut(filesystem), source: source.kind },
      ...{ entries: archive.entries, rawBytes: archive.rawBytes, storedBytes: archive.storedBytes },
      ...(base && { base: base.run }),
      warnings: warnings?.count ?? 0,
    })),
    failures: failures.slice(0, LIST_MAX).map(({ volume, mountPoint, code, message, hint }) => ({
      ...{ volume: cut(volume), mountPoint: cut(mountPoint), code: cut(code) },
      ...{ message: cut(message), hint: cut(hint) },
    })),
    notBackedUp: notBackedUp.slice(0, LIST_MAX).map(({ mountPoint, filesystem, reason }) => ({
      ...{ mountPoint: cut(mountPoint), filesystem: cut(filesystem), reason: cut(reason) },
    })),
  }
}

function storedOf({ volume, archive, base, removed }: Manifest['volumes'][number]): StoredVolume {
  return {
    ...{ volume, compression: archive.compression, ...sizesOf(archive) },
    ...(removed && { removedBytes: removed.sizeBytes }),
    ...(base && { base: { run: base.run, ...sizesOf(base.archive) } }),
  }
}

function sizesOf({ segments, catalog }: Archive) {
  return { segmentBytes: segments.map(({ sizeBytes }) => sizeBytes), catalogBytes: catalog.sizeBytes }
}

/** What `/etc/os-release` calls the system, for people. */
function osOf(osRelease: string): string {
  const line = /^PRETTY_NAME=(.*)$/m.exec(osRelease.slice(0, 10_000))?.[1] ?? ''
  return cut(line.replace(/^(["'])(.*)\1$/, '$2'))
}

function cut(text: string): string {
  const line = printableLine(text.length > TEXT_CHARACTERS_MAX ? `${text.slice(0, TEXT_CHARACTERS_MAX - 1)}…` : text)
  return line.length > TEXT_CHARACTERS_MAX ? line.slice(0, TEXT_CHARACTERS_MAX) : line
}
