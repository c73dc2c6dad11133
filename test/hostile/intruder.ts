/** Somebody who has root on a host, and with it all that the host may write to the bucket: any object, any content, any name. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { manifestKey, type RunKey } from '../../agent/contract'
import { formatManifest, type Manifest, type VolumeBackup } from '../../agent/run/manifest'
import { tarCreate } from '../../agent/tar/commands'
import { scanTar } from '../../agent/tar/scanner'
import { plainClient, type Server } from '../servers/index'
import { archiveOf } from '../support/archives'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { Argv } from '../../agent/context'
import type { CatalogEntry } from '../../agent/tar/entry'

const DAY_MS = 86_400_000

/** @param daysAgo - when the run says that it started */
export function placeOf(host: string, daysAgo = 0, suffix = 'abcdef'): RunKey {
  const time = new Date(Date.now() - daysAgo * DAY_MS - 60_000).toISOString().replace(/[-:]|\.\d+/g, '')
  return { class: 'daily', host, run: `${time}-${suffix}` }
}

export interface ForgedVolume {
  readonly mountPoint: string
  /** Device-mapper name. */
  readonly volume?: string
  readonly compression?: 'zstd' | 'none'
  /** Fills the directory that is archived; `/etc/hosts` alone if nothing does. */
  readonly tree?: (directory: string) => void
  /** Archives it; as the agent does if nothing else does. */
  readonly archive?: (directory: string) => Buffer
  /** Changes the tar stream, length kept or not. */
  readonly editTar?: (tar: Buffer) => Buffer
  /** Changes what the catalog says of the entries. */
  readonly editEntries?: (entries: CatalogEntry[]) => CatalogEntry[]
  /** Changes the catalog's text as it is stored. */
  readonly editCatalog?: (text: string) => string
  /** Changes what the manifest says of the volume. */
  readonly changes?: Partial<VolumeBackup>
}

export interface ForgedRun {
  readonly place: RunKey
  readonly volumes: readonly ForgedVolume[]
  readonly changes?: Partial<Manifest>
  /** Changes the manifest's text as it is stored. */
  readonly editManifest?: (text: string) => string
  /** Changes the objects, by key; those of the manifest come last. */
  readonly editObjects?: (objects: Map<string, Buffer>) => void
}

/** @param scratch - where the trees are made */
export function forgeRun(scratch: string, run: ForgedRun): Map<string, Buffer> {
  const at = run.place
  const objects = new Map<string, Buffer>()
  const volumes = run.volumes.map((volume, index) => forgeVolume(scratch, at, volume, index, objects))
  const text = formatManifest(manifestOf({ ...at, volumes, ...run.changes }))
  objects.set(manifestKey(at), Buffer.from(run.editManifest?.(text) ?? text))
  run.editObjects?.(objects)
  return objects
}

function forgeVolume(
  scratch: string,
  at: RunKey,
  forged: ForgedVolume,
  index: number,
  objects: Map<string, Buffer>,
): VolumeBackup {
  const { mountPoint, volume = `vg0-v${index}`, compression = 'zstd', changes } = forged
  const directory = mkdtempSync(join(scratch, 'source-'))
  const { tree = honestTree, archive = archiveAsAgent } = forged
  tree(directory)
  const honest = archive(directory)
  // Its catalog is that of the honest archive: who can write the one can write the other.
  const entries = entriesOf(honest)
  const stored = archiveOf(forged.editTar?.(honest) ?? honest, {
    ...{ at, volume, mountPoint, compression, entries: forged.editEntries?.([...entries]) ?? entries },
    ...(forged.editCatalog && { editCatalog: forged.editCatalog }),
  })
  for (const [key, body] of stored.objects) objects.set(key, body)
  return volumeBackupOf({ volume, mountPoint, archive: stored.archive, ...changes }, at)
}

function entriesOf(tar: Buffer): CatalogEntry[] {
  const entries: CatalogEntry[] = []
  const scanner = scanTar((entry) => entries.push(entry), { isTolerant: true })
  scanner.push(tar)
  scanner.finish()
  return entries
}

export function honestTree(directory: string): void {
  mkdirSync(join(directory, 'etc'))
  writeFileSync(join(directory, 'etc/hosts'), '127.0.0.1 localhost\n')
}

export function archiveAsAgent(directory: string): Buffer {
  const [program, ...args] = tarCreate(directory)
  return runTar(program, ...args)
}

export function runTar(...[program, ...args]: Argv): Buffer {
  return execFileSync(program, args, { maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'ignore'] })
}

/** Changes the header of the first entry whose name starts like this, and mends its checksum. */
export function editHeader(tar: Buffer, name: string, edit: (header: Buffer) => void): Buffer {
  const edited = Buffer.from(tar)
  for (let at = 0; at < edited.length; at += 512) {
    const header = edited.subarray(at, at + 512)
    if (!header.subarray(0, name.length).equals(Buffer.from(name)) || header.toString('latin1', 257, 262) !== 'ustar')
      continue
    edit(header)
    header.fill(' ', 148, 156)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    return edited
  }
  throw new Error(`no entry ${name}`)
}

/** Puts objects into the bucket, in their order. */
export async function putAll(server: Server, bucket: string, objects: ReadonlyMap<string, Buffer>): Promise<void> {
  const client = plainClient(server)
  for (const [Key, Body] of objects) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body }))
  client.destroy()
}
