/** What a killed run had begun to send is known to the next one, and that it is not is no reason for a backup to fail. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findRememberedUploads, forgetUploads, rememberUpload } from '../../agent/source/remembered-uploads.io'
import { logWarnings } from '../support/log'
import { makeTrustedDirectory } from '../support/trusted-directory'

let home: string
let directory: string
const warnings: string[] = []
const log = logWarnings(warnings)
beforeEach(() => {
  home = makeTrustedDirectory()
  directory = join(home, 'uploads')
  warnings.splice(0)
})
afterEach(() => rmSync(home, { recursive: true }))

const RUN = '20260131T040506Z-abz277'
const BOOT = { kind: 'lvm', run: RUN, volume: 'boot' } as const
const ESP = { kind: 'lvm', run: RUN, volume: 'boot.efi' } as const
const UPLOADS = ['data', 'catalogs'].map((prefix) => ({
  key: `${prefix}/daily/arn:aws:ec2:x:1:instance/i-0abc/${RUN}/boot.tar.zst`,
  uploadId: `a~B."${prefix}`,
}))
const [data, catalog] = UPLOADS as [(typeof UPLOADS)[0], (typeof UPLOADS)[0]]

const remember = (...args: [typeof BOOT | typeof ESP, typeof data]) => rememberUpload(log, ...args, directory)
const find = () => findRememberedUploads(log, 'lvm', directory)

test('uploads that begin at the same time are all remembered, with the volume that they are of', async () => {
  await Promise.all([remember(BOOT, data), remember(BOOT, catalog), remember(ESP, data)])
  const found = [...(await find())].sort((a, b) => a.volume.length - b.volume.length)
  expect(found).toEqual([
    { ...BOOT, uploads: expect.arrayContaining(UPLOADS) as unknown },
    { ...ESP, uploads: [data] },
  ])
  expect(found[0]?.uploads).toHaveLength(2)
  expect(warnings).toEqual([])
})

test('what is forgotten leaves nothing, and takes nothing else along', async () => {
  await remember(BOOT, data)
  await remember(ESP, catalog)
  await forgetUploads(log, BOOT, directory)
  await forgetUploads(log, BOOT, directory)
  expect(await find()).toEqual([{ ...ESP, uploads: [catalog] }])
  await forgetUploads(log, ESP, directory)
  expect(readdirSync(directory)).toEqual([])
  expect([await find(), warnings]).toEqual([[], []])
})

test('only root can read them', async () => {
  await remember(BOOT, data)
  const modes = ['lvm', `lvm/${RUN}`, `lvm/${RUN}/boot.jsonl`].map(
    (name) => statSync(join(directory, name)).mode & 0o777,
  )
  expect(modes).toEqual([0o700, 0o700, 0o600])
})

test.each([
  '{"key":"data/daily/x","uploa',
  'null',
  '{"key":"manifests/daily/x","uploadId":"1"}',
  '{"key":"data/daily/x","uploadId":""}',
  '{"key":"data/daily/x","key":"data/daily/y","uploadId":"1"}',
  '{"key":"data/daily/x","uploadId":"1","more":1}',
  '{"key":"data/daily/\\u001b[2J","uploadId":"1"}',
])('a line that is not ours costs itself alone: %s', async (line) => {
  await remember(BOOT, data)
  const file = join(directory, 'lvm', RUN, 'boot.jsonl')
  writeFileSync(file, `${line}\n${readFileSync(file, 'utf8')}`)
  expect(await find()).toEqual([{ ...BOOT, uploads: [data] }])
  expect(warnings).toEqual([`${file} has a line that is no upload`])
})

test('a file that is empty, or much too large, is known so that it is removed, and says nothing', async () => {
  mkdirSync(join(directory, 'lvm', RUN), { recursive: true })
  writeFileSync(join(directory, 'lvm', RUN, 'boot.jsonl'), '')
  writeFileSync(join(directory, 'lvm', RUN, 'boot.efi.jsonl'), '\n'.repeat(5_000_000))
  expect((await find()).map(({ uploads }) => uploads)).toEqual([[], []])
  expect(warnings).toEqual([expect.stringContaining('too large')])
})

test('files by other names are not looked at', async () => {
  const places = [`lvm/${RUN}/boot.txt`, `lvm/${RUN}/-x.jsonl`, 'lvm/norun/boot.jsonl', `lvm/${RUN}/deeper/boot.jsonl`]
  for (const place of places) {
    mkdirSync(join(directory, place, '..'), { recursive: true })
    writeFileSync(join(directory, place), `${JSON.stringify(data)}\n`)
  }
  expect([await find(), warnings]).toEqual([[], []])
})

test('what others could have written is not believed', async () => {
  await remember(BOOT, data)
  chmodSync(directory, 0o777)
  expect(await find()).toEqual([])
  expect(warnings).toEqual([expect.stringMatching(/not looked for: .*uploads can be written by others/)])
})

test('where they cannot be kept, a backup goes on with a warning', async () => {
  writeFileSync(directory, 'a file in the way')
  await remember(BOOT, data)
  await forgetUploads(log, BOOT, directory)
  expect(await find()).toEqual([])
  expect(warnings[0]).toMatch(/the upload of data\/.* cannot be remembered.*ENOTDIR/)
})

test('a link in the place of the file is not followed', async () => {
  mkdirSync(join(directory, 'lvm', RUN), { recursive: true })
  symlinkSync(join(home, 'elsewhere'), join(directory, 'lvm', RUN, 'boot.jsonl'))
  await remember(BOOT, data)
  expect(readdirSync(home)).toEqual(['uploads'])
  expect(warnings).toEqual([expect.stringContaining('ELOOP')])
})
