/** Runs that an intruder wrote: a catalog that says one thing, and an archive that holds another. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { restore } from '../support/commands'
import { manifestKey } from '../../agent/contract'
import { localHost } from '../../agent/host/run-command.io'
import { formatManifest } from '../../agent/run/manifest'
import type { WithHost, RestoreRequest } from '../../agent/options/commands'
import { tarCreate } from '../../agent/tar/commands'
import { archiveOf, place, storeWith } from '../support/archives'
import { silentLog } from '../support/log'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import type { CatalogEntry } from '../../agent/tar/entry'

let scratch: string
let tar: Buffer
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), 'forged-'))
  const source = join(scratch, 'source')
  for (const directory of ['etc/cron.d', 'srv']) mkdirSync(join(source, directory), { recursive: true })
  writeFileSync(join(source, 'etc/cron.d/evil'), '* * * * * root evil')
  writeFileSync(join(source, 'etc/shadow'), 'root::0:0:99999:7:::')
  writeFileSync(join(source, 'etc/su'), '#!/bin/sh')
  execFileSync('chmod', ['4755', join(source, 'etc/su')])
  writeFileSync(join(source, 'srv/app.conf'), 'port 80')
  const [program, ...args] = tarCreate(source)
  tar = execFileSync(program, [...args.slice(0, -2), '--sort=name', '--', '.'], { stdio: ['ignore', 'pipe', 'ignore'] })
})
afterAll(() => rmSync(scratch, { recursive: true }))

/** Restores from a run whose catalog was written by somebody else than the archive. */
async function restored(edit: (entries: CatalogEntry[]) => CatalogEntry[], changes: Partial<RestoreRequest> = {}) {
  const editCatalog = (text: string): string => {
    const lines = text.trimEnd().split('\n')
    const isEntry = (line: string) => line.startsWith('{"path"')
    const entries = edit(lines.filter(isEntry).map((line) => JSON.parse(line) as CatalogEntry))
    const [header, ...rest] = lines.filter((line) => !isEntry(line))
    const end = { ...(JSON.parse(rest.pop()!) as object), entries: entries.length }
    return [header, ...entries.map((entry) => JSON.stringify(entry)), ...rest, JSON.stringify(end), ''].join('\n')
  }
  const stored = archiveOf(tar, { mountPoint: '/', editCatalog })
  const archive = { ...stored.archive, entries: edit([...stored.entries]).length }
  const manifest = manifestOf({ ...place, volumes: [volumeBackupOf({ volume: 'vg0-srv', mountPoint: '/', archive })] })
  const store = storeWith(new Map([...stored.objects, [manifestKey(place), Buffer.from(formatManifest(manifest))]]))
  const target = mkdtempSync(join(scratch, 'target-'))
  mkdirSync(join(target, 'etc'))
  writeFileSync(join(target, 'etc/shadow'), 'mine')
  const request = {
    ...{ command: 'restore', bucket: 'backups', ...place, volume: [], path: ['/etc/app.conf'], target, days: 7 },
    ...{ inPlace: false, stdout: false, onConflict: 'fail', resume: false, bestEffort: false, wait: false },
    ...{ dryRun: false, ...changes },
  }
  const deps = { host: localHost, store, log: silentLog, now: () => new Date(), signal: new AbortController().signal }
  const outcome = await restore(deps, request as unknown as WithHost<RestoreRequest>).then(
    ({ status, summary }) => ({ status, message: summary }),
    (error: unknown) => error as { code: string; message: string },
  )
  return { outcome, target }
}

/** A file that the archive does not have takes all the bytes of the entries from `first` on. */
function swallow(entries: CatalogEntry[], first: string): CatalogEntry[] {
  const index = entries.findIndex(({ path }) => path === first)
  const [start, end] = [entries[index]!, entries.at(-1)!]
  return [
    ...entries.slice(0, index),
    { ...end, path: 'etc/app.conf', offset: start.offset, bytes: end.offset + end.bytes - start.offset },
  ]
}

test('the honest one comes back', async () => {
  const { outcome, target } = await restored((entries) => entries, { path: ['/srv/app.conf'] })
  expect(outcome).toMatchObject({ status: 0 })
  expect(readFileSync(join(target, 'srv/app.conf'), 'utf8')).toBe('port 80')
})

describe.each<[string, Partial<RestoreRequest>]>([
  ['by default', {}],
  ['with --on-conflict overwrite', { onConflict: 'overwrite' }],
  ['with --resume', { resume: true }],
  ['with --best-effort', { bestEffort: true }],
  ['with --stdout', { stdout: true }],
])('%s', (_, changes) => {
  test.each<[string, (entries: CatalogEntry[]) => CatalogEntry[]]>([
    ['a file in whose bytes others are hidden', (entries) => swallow(entries, 'etc/cron.d')],
    ['a file that is another in the archive', (entries) => swallow(entries, 'etc/shadow')],
    [
      'a file that is set-uid in the archive only',
      (entries) =>
        entries.map((entry) => (entry.path === 'etc/su' ? { ...entry, path: 'etc/app.conf', mode: 0o644 } : entry)),
    ],
  ])('%s is not restored, nor is anything with it', async (_name, edit) => {
    const { outcome, target } = await restored(edit, changes)
    expect(outcome).toMatchObject({
      code: 'ARCHIVE_DAMAGED',
      message: expect.stringContaining("the archive is not what its catalog says: 'etc/app.conf' is planned") as string,
    })
    expect(readFileSync(join(target, 'etc/shadow'), 'utf8')).toBe('mine')
    for (const name of ['etc/cron.d', 'etc/su', 'etc/app.conf', 'srv'])
      expect(existsSync(join(target, name))).toBe(false)
    expect(statSync(join(target, 'etc')).isDirectory()).toBe(true)
  })
})
