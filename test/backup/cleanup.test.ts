import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { cleanUpHost } from '../support/commands'
import type { CleanupRequest, WithHost } from '../../agent/options/commands'
import { lvremove } from '../../agent/source/lvm/plan'
import { fakeHost, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { memoryStore } from '../support/memory-store'
import { makeTrustedDirectory } from '../support/trusted-directory'

const [HELD, FREE] = ['snapstream_20260131T040506Z_abz277_0', 'snapstream_20260131T040506Z_abz277_1']
const volumeOf = (name: string) => ({
  ...{ vg_name: 'vg0', lv_name: name, lv_uuid: name, lv_dm_path: `/dev/mapper/vg0-${name}`, lv_size: '4194304' },
  ...{ lv_kernel_major: '254', lv_kernel_minor: '1', lv_layout: 'linear', lv_tags: 'snapstream', origin: 'home' },
  ...{ pool_lv: '', data_percent: '1.00', metadata_percent: '', lv_snapshot_invalid: '', lv_health_status: '' },
})
const hanging = { status: null, hangs: true } as const

async function cleanedUp(answers: Answers, dryRun = false, scratch = '/nowhere') {
  const host = fakeHost({
    lvs: JSON.stringify({ report: [{ lv: [HELD, FREE].map(volumeOf) }] }),
    vgs: JSON.stringify({ report: [{ vg: [] }] }),
    findmnt: JSON.stringify({ filesystems: [] }),
    ...answers,
  })
  const request = { command: 'cleanup', bucket: 'b', host: 'db-1', class: 'daily', scratch, dryRun }
  const store = memoryStore()
  return {
    ran: host.ran,
    ...(await cleanUpHost({ ...localDeps(), host, store }, request as unknown as WithHost<CleanupRequest>)),
  }
}

const removal = (name: string) => lvremove('vg0', name).join(' ')

test('a snapshot whose device does not answer is told as left, and the other one is removed: status 4', async () => {
  const { status, summary, json } = await cleanedUp({ [removal(HELD)]: hanging, [removal(FREE)]: '' })
  expect(status).toBe(4)
  expect(summary).toMatch(
    /^Not everything that killed runs left behind could be removed:.*\n {2}LEFT BEHIND .*vg0\/snapstream_20260131T040506Z_abz277_0 /,
  )
  expect(summary).toMatch(/\n {2}removed:\n {2}snapshot {2}vg0\/snapstream_20260131T040506Z_abz277_1$/)
  expect(json).toMatchObject({
    dryRun: false,
    snapshots: [{ kind: 'lvm', name: `vg0/${FREE}` }],
    leftBehind: [expect.stringContaining(`vg0/${HELD} cannot be removed`), expect.stringContaining('dmsetup info')],
  })
})

test('where nothing can be removed, nothing is said to have been', async () => {
  const { status, summary, json } = await cleanedUp({ lvremove: hanging })
  expect([status, json]).toMatchObject([4, { snapshots: [] }])
  expect(summary).toMatch(/^Nothing that killed runs left behind could be removed/)
})

test('where all is removed, that is said, with status 0', async () => {
  const { status, summary, json } = await cleanedUp({ lvremove: '' })
  expect([status, json]).toMatchObject([
    0,
    { snapshots: [{ name: `vg0/${HELD}` }, { name: `vg0/${FREE}` }], leftBehind: [] },
  ])
  expect(summary).toMatch(/^Removed what killed runs left behind:/)
})

test('a dry run removes nothing', async () => {
  const { status, summary, ran } = await cleanedUp({}, true)
  expect([status, summary]).toEqual([0, expect.stringMatching(/^Would remove/)])
  expect(ran.filter((line) => line.startsWith('lvremove'))).toEqual([])
})

test('what a killed drill restored goes, too', async () => {
  const scratch = makeTrustedDirectory()
  const left = join(scratch, '.snapstream-drill-0123456789abcdef')
  mkdirSync(left, { mode: 0o700 })
  const answers = {
    ...{ [removal(HELD)]: '', [removal(FREE)]: '', flock: '' },
    [`rm --recursive --force --one-file-system -- ${left}`]: () => (rmSync(left, { recursive: true }), ''),
  }
  const told = await cleanedUp(answers, true, scratch)
  expect([told.json, existsSync(left)]).toMatchObject([{ scratches: [left] }, true])
  const { status, summary, json } = await cleanedUp(answers, false, scratch)
  expect([status, json]).toMatchObject([0, { scratches: [left], leftBehind: [] }])
  expect(summary).toContain(`\n  drill     ${left}`)
  rmSync(scratch, { recursive: true })
})
