import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'esbuild'
import { removeLeftovers } from '../../agent/source/leftovers.io'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { bootGuest, type Guest } from './guest'
import { guestDeps } from './guest-host'
import { DISKS_MIB, makeVolumes, MOUNT_POINTS } from './volumes'
import type { UploadRef } from '../../agent/context'

jest.setTimeout(180_000)

const RUN = '20260131T040506Z-abz277'
const KEY = `data/daily/web-1/${RUN}/vg0-srv.tar.zst`

let guest: Guest
let directory: string
let bundle: string
let deps: ReturnType<typeof guestDeps> & { readonly store: MemoryStore }
let upload: UploadRef
let untouched: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-driver-'))
  bundle = join(directory, 'snapshot-and-wait.cjs')
  await build({
    entryPoints: [join(__dirname, 'snapshot-and-wait.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  })
  guest = await bootGuest({ disksMiB: DISKS_MIB, shares: [directory] })
  await makeVolumes(guest)
  untouched = await state()
})
beforeEach(async () => {
  deps = { ...guestDeps(guest), store: memoryStore() }
  upload = await deps.store.createUpload(KEY, undefined, deps.signal)
})
afterEach(async () => {
  expect(await state()).toBe(untouched)
})
afterAll(async () => {
  await guest.stop()
  await rm(directory, { recursive: true })
})

/** All volumes with their sizes and tags, all mounts, all suspended devices, and what is in our directory. */
function state(): Promise<string> {
  const lvs = 'lvs --noheadings --options lv_full_name,lv_size,lv_tags,lv_active'
  const dm = 'dmsetup info --columns --noheadings --options name,suspended'
  return guest.run(['sh', '-c', `${lvs}; ${dm} | sort; cat /proc/mounts; ls -A /run/snapstream 2>/dev/null; true`])
}

/** Starts a run, waits until it says that it has reached a stage, waits a little more, and kills it. */
async function killRun(stage: string, afterMs = 0): Promise<void> {
  const { command, reached } = startRun(stage)
  await reached
  await sleep(afterMs)
  command.kill('SIGKILL')
  await command.ended
}

function startRun(stage: string) {
  let reach: () => void
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  let said = ''
  const onStderr = (text: string) => {
    said += text
    if (said.includes(`${stage}\n`)) reach()
  }
  const command = guest.start(['node', bundle, RUN, upload.key, upload.uploadId], { onStderr })
  return { command, reached }
}

/** An LVM command that the killed run had started is left to end. */
async function lvmIsIdle(): Promise<void> {
  while ((await guest.exec(['pgrep', '-x', 'lvcreate|lvchange|lvremove'])).status === 0) await sleep(100)
}

test.each(['taken', 'mounted', 'begun to read'])(
  'what a run leaves behind is removed, killed when it had %s',
  async (stage) => {
    await killRun(stage)
    const found = await removeLeftovers(deps, { dryRun: false })
    expect(found.snapshots).toHaveLength(MOUNT_POINTS.length)
    expect(found.uploads).toEqual([upload])
    expect(deps.store.uploads.size).toBe(0)
  },
)

test('a run that is killed while it takes the snapshots leaves no volume suspended', async () => {
  for (const afterMs of [0, 200, 400, 600]) {
    await killRun('planned', afterMs)
    await lvmIsIdle()
    for (const mountPoint of MOUNT_POINTS) await guest.run(['sh', '-c', `echo alive >${mountPoint}/moment; sync`])
    await removeLeftovers(deps, { dryRun: false })
    expect(await state()).toBe(untouched)
  }
})

test('while a run is under way, another is told so by its lock', async () => {
  const { command, reached } = startRun('mounted')
  await reached
  const { status, stderr } = await guest.exec(['node', bundle, RUN, upload.key, upload.uploadId])
  expect([status, stderr]).toEqual([1, expect.stringContaining('another run holds the lock: process')])
  command.kill('SIGKILL')
  await command.ended
  await removeLeftovers(deps, { dryRun: false })
})
