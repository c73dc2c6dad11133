import { formatBytes, columns, counted, joinLines } from '../lib/text'
import type { Report } from '../archive/findings'
import type { TarEntry } from '../tar/node-tar'
import type { Told } from '../outcome'
import type { verificationSchema } from './output-schema'
import type { CatalogEntry, EntryType } from '../tar/entry'

/** What a verification looked at and found, as recorded beside the run. */
export type Verification = Told<typeof verificationSchema>

/** What was looked at in one volume, and what was found. Without findings, everything that is counted here is good. */
export type VolumeCheck = Verification['volumes'][number]

/** Something that is not as it should be. Findings are data: a verification throws only where it could not look. */
export type Finding = VolumeCheck['findings'][number]

/** Beyond this, more of the same tells nobody anything. */
const FINDINGS_MAX = 50

/** Collects a volume's findings; of too many, the first ones and a count. */
export function collectFindings(volume: string): { readonly report: Report; readonly list: () => Finding[] } {
  const findings: Finding[] = []
  let dropped = 0
  return {
    report: (what, hint) => {
      if (findings.some((finding) => finding.what === what)) return // an object that is lost keeps several checks from looking
      if (findings.length < FINDINGS_MAX) findings.push({ volume, what, hint })
      else dropped++
    },
    list: () =>
      dropped === 0
        ? findings
        : [
            ...findings,
            {
              volume,
              what: `${dropped} more findings`,
              hint: 'Look at the first ones: the others may follow from them.',
            },
          ],
  }
}

/** For people: the verdict, what was found, what was looked at. */
export function formatVerification(verification: Verification): string {
  const { run, host, ok, volumes } = verification
  const depth = verification.sizesOnly ? 'sizes only' : `depth ${verification.depth}`
  const findings = volumes.flatMap((volume) => volume.findings)
  return joinLines([
    `Verification of ${run} of ${host}, ${depth}: ${ok ? 'OK' : `${findings.length} FINDINGS`}`,
    ...findings.flatMap(({ volume, what, hint }) => [`  ${volume}: ${what}`, `    HINT: ${hint}`]),
    ...columns(volumes.map(checkRow)),
    ...volumes.flatMap(({ mountPoint, withoutChecksum, objects }) =>
      withoutChecksum === 0
        ? []
        : [
            `  ${mountPoint}: the server keeps no checksum of ${withoutChecksum} of ${objects} objects: their sizes were compared`,
          ],
    ),
  ])
}

function checkRow(check: VolumeCheck): string[] {
  return [
    check.mountPoint,
    `${counted(check.objects, 'object')}, ${formatBytes(check.storedBytes)} in ${check.storageClasses.join(', ') || 'no storage class'}`,
    ...(check.frames > 0
      ? [
          `${counted(check.frames, 'frame')}, ${formatBytes(check.rawBytes)}, ${counted(check.entries, 'entry', 'entries')} read back`,
        ]
      : []),
    ...(check.base === undefined ? [] : [`with its base in ${check.base}`]),
  ]
}

const TYPES: Readonly<Record<string, EntryType>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Directory: 'directory',
  SymbolicLink: 'symlink',
  Link: 'hardlink',
  FIFO: 'fifo',
  CharacterDevice: 'character',
  BlockDevice: 'block',
}

/**
 * Fields in which the catalog differs from what node-tar read, each as a clause; empty where all agree.
 *
 * node-tar splits pax headers at line ends and decodes them as UTF-8. Where a record holds a line end or is binary, as
 * extended attributes and hostile names can be, what it makes of the whole header means nothing: then only what stands
 * in the entry's own header block is compared. The catalog's scanner has read those entries byte by byte.
 */
export function compareWithTar(entry: CatalogEntry, read: TarEntry): string[] {
  if (entry.undescribed !== undefined) return []
  const records = parsePlainRecords(read.pax)
  const pairs: [field: string, catalog: unknown, archive: unknown][] = [
    ['type', entry.type, TYPES[read.type] ?? read.type],
    ['mode', octal(entry.mode), octal(read.mode)],
  ]
  if (entry.type === 'character' || entry.type === 'block') {
    pairs.push(['device', entry.device?.join(':'), read.device.join(':')])
  }
  if (records) {
    pairs.push(
      ['path', entry.path, plainPath(records.get('GNU.sparse.name') ?? read.path)],
      ['uid', entry.uid, read.uid],
      ['gid', entry.gid, read.gid],
      ['mtime', plainTime(entry.mtime), plainTime(records.get('mtime') ?? String(read.mtimeMs / 1000))],
    )
    if (entry.type === 'file') pairs.push(['size', entry.size, apparentSize(records, read)])
    if (entry.type === 'symlink') pairs.push(['link', entry.link, read.link])
    if (entry.type === 'hardlink') pairs.push(['link', entry.link, plainPath(read.link)])
  }
  return pairs
    .filter(([, catalog, archive]) => catalog !== archive)
    .map(([field, catalog, archive]) => difference(field, String(catalog), String(archive)))
}

/**
 * Fields in which two readings of one entry differ: every field, exactly.
 *
 * @param read - what the catalog's scanner makes of the archive as it was read back
 */
export function compareEntries(entry: CatalogEntry, read: CatalogEntry): string[] {
  const fields = new Set([...Object.keys(entry), ...Object.keys(read)] as (keyof CatalogEntry)[])
  return [...fields]
    .map((field) => ({ field, catalog: show(entry, field), archive: show(read, field) }))
    .filter(({ catalog, archive }) => catalog !== archive)
    .map(({ field, catalog, archive }) => difference(field, catalog, archive))
}

function show(entry: CatalogEntry, field: keyof CatalogEntry): string {
  if (field === 'mode') return octal(entry.mode)
  return entry[field] === undefined ? 'not set' : JSON.stringify(entry[field])
}

function difference(field: string, catalog: string, archive: string): string {
  return `${field} ${catalog} is ${archive} in the archive`
}

/** Undefined unless every record ends where its length says, so that splitting at line ends was right. */
function parsePlainRecords(pax: string): ReadonlyMap<string, string> | undefined {
  const records = new Map<string, string>()
  for (const line of pax.split('\n').slice(0, -1)) {
    const match = /^(\d+) ([^=]+)=(.*)$/s.exec(line)
    if (!match || Number(match[1]) !== utf8Bytes(line) + 1) return undefined
    records.set(match[2] ?? '', match[3] ?? '')
  }
  return records
}

function utf8Bytes(text: string): number {
  return new TextEncoder().encode(text).length
}

/** As the catalog has it: relative to the volume's root, without a slash at the end. */
function plainPath(path: string): string {
  return path.replace(/\/+$/, '').replace(/^\.\//, '')
}

/** Beyond what a number holds exactly, catalogs have the largest that it does. */
function apparentSize(records: ReadonlyMap<string, string>, { size }: TarEntry): number {
  return Math.min(Number(records.get('GNU.sparse.realsize') ?? size), Number.MAX_SAFE_INTEGER)
}

function plainTime(seconds: string): string {
  return seconds.includes('.') ? seconds.replace(/\.?0+$/, '') : seconds
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, '0')
}
