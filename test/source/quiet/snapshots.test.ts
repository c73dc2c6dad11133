/** What the source asks a host, and what it finds again of a run that was killed. */
import { rmSync } from 'node:fs'
import { quietSource } from '../../../agent/source/quiet/snapshots.io'
import { findFilesystems } from '../../../agent/source/filesystems'
import { fakeHost, notInstalled, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { makeTrustedDirectory } from '../../support/trusted-directory'
import { BOOT_HOST, filesystemAt, quietHost } from './quiet-host'

let directory: string
beforeEach(() => {
  directory = makeTrustedDirectory()
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const UPLOAD = { key: 'data/daily/web-1/20260131T040506Z-abz277/boot.tar.zst', uploadId: '1' }

function sceneOf(answers: Answers = {}) {
  const host = fakeHost({
    ...{
      realpath: '/\0/mnt/log\0',
      blockdev: '1073741824\n',
      cat: 'MemAvailable: 2000000 kB\n',
      systemctl: '',
      test: '',
    },
    ...answers,
  })
  const deps = { ...localDeps(), host }
  const source = quietSource(`${directory}/uploads`)
  const plan = async (filesystems = BOOT_HOST) => {
    const survey = await source.survey(deps, filesystems, findFilesystems(filesystems))
    const claims = findFilesystems(filesystems).flatMap((found) => survey.claim(found) ?? [])
    return survey.plan(
      claims.flatMap((claim) => ('volume' in claim ? [claim.volume] : [])),
      snapshotRequestOf(),
    )
  }
  return { deps, host, source, plan }
}

test('where nothing is left to it, it asks nothing', async () => {
  const { deps, host, source } = sceneOf()
  const survey = await source.survey(deps, BOOT_HOST, [])
  expect(host.ran).toEqual([])
  expect(survey.claim(filesystemAt(BOOT_HOST, '/boot'))).toBeUndefined()
})

test('only what may be its own is asked how large it is, and a device that does not answer is left out', async () => {
  const { host, plan } = sceneOf({ 'blockdev --getsize64 /dev/sda1': { status: 1 } })
  expect((await plan()).map(({ origin }) => origin.mountPoint)).toEqual(['/boot/efi'])
  expect(host.ran.filter((line) => line.startsWith('blockdev'))).toEqual([
    ...['blockdev --getsize64 /dev/sda1', 'blockdev --getsize64 /dev/sda2'],
  ])
})

test('where a link for the log leads, is asked of the host', async () => {
  const host = quietHost({ target: '/' }, { target: '/mnt' }, { target: '/srv' })
  expect((await sceneOf().plan(host)).map(({ origin }) => origin.mountPoint)).toEqual(['/srv'])
})

test('what fits in memory is read with the first, and the rest behind all others', async () => {
  const { source, plan } = sceneOf()
  const sizes = [700, 200, 800].map((usedMiB, index) => ({ target: `/srv/${index}`, usedMiB }))
  const plans = await plan(quietHost({ target: '/' }, ...sizes))
  expect(plans).toHaveLength(3)
  expect(source.waves?.(plans)).toEqual([[plans[2]]])
})

test('uploads are remembered until their volume is released, and found again of a run that was killed', async () => {
  const { deps, source, plan } = sceneOf()
  const plans = await plan()
  const taken = await source.take(deps, plans)
  for (const one of plans) await source.recordUpload(deps, one, UPLOAD)
  await taken.release(plans[1]!)
  await taken.release(plans[1]!)
  const found = await source.findLeftovers(deps)
  expect(found).toEqual([
    expect.objectContaining({
      kind: 'quiet',
      name: 'uploads of boot in run 20260131T040506Z-abz277',
      uploads: [UPLOAD],
    }),
  ])
  for (const one of found) await source.removeLeftover(deps, one)
  expect(await source.findLeftovers(deps)).toEqual([])

  await source.recordUpload(deps, plans[0]!, UPLOAD)
  await taken[Symbol.asyncDispose]()
  expect(await source.findLeftovers(deps)).toEqual([])
})

test('a freeze that a killed run left is ended, and where there is no systemd there is none', async () => {
  const { deps, host, source } = sceneOf({
    systemctl: (argv) =>
      argv.includes('list-units') ? 'snapstream-thaw-0a.timer loaded active waiting Snapstream: thaws /boot\n' : '',
  })
  const found = await source.findLeftovers(deps)
  expect(found).toMatchObject([{ name: 'freeze of /boot', uploads: [] }])
  for (const one of found) await source.removeLeftover(deps, one)
  expect(host.ran.slice(-2)).toEqual([
    'systemctl start snapstream-thaw-0a.service',
    'systemctl stop snapstream-thaw-0a.timer snapstream-thaw-0a.service',
  ])
  expect(await source.findLeftovers(sceneOf({ systemctl: notInstalled('systemctl') }).deps)).toEqual([])
})

test('nothing is taken of a run that is stopped', async () => {
  const { deps, source, plan } = sceneOf()
  const plans = await plan()
  const signal = AbortSignal.abort(new Error('stopped'))
  await expect(source.take({ ...deps, signal }, plans)).rejects.toThrow('stopped')
})
