import {
  bindMount,
  fileOf,
  mountMemory,
  parseAvailableBytes,
  planReading,
  planWaves,
  tarIntoMemory,
} from '../../../agent/source/quiet/plan'
import { claimFilesystem, type QuietVolume } from '../../../agent/source/quiet/claim'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { BOOT_HOST, filesystemAt, quietHost, quietState } from './quiet-host'

function volumeAt(mountPoint: string, host = BOOT_HOST): QuietVolume {
  const claim = claimFilesystem(host, quietState(host), filesystemAt(host, mountPoint))
  if ('reason' in claim) throw new Error(claim.reason)
  return claim.volume
}

function planOf(mountPoint: string, exclude: string[] = []) {
  return planReading([volumeAt(mountPoint)], snapshotRequestOf({ exclude }), () => true)[0]!
}

const PLACE = '/run/snapstream/20260131T040506Z-abz277'

test('tar reads what is not hidden by other mounts, into memory; the manifest has the command as anybody would run it', () => {
  const plan = planOf('/boot', ['/boot/efi/cache', '/srv/x'])
  expect(bindMount(plan).slice(-4)).toEqual(['--source', '/boot', '--target', `${PLACE}/boot`])
  expect(plan.tar).toEqual(expect.arrayContaining(['--file=-', '--exclude=./efi/cache', `--directory=${PLACE}/boot`]))
  expect(fileOf(plan)).toBe(`${PLACE}/boot--memory/tar`)
  const argv = tarIntoMemory(plan)
  expect(argv.filter((word) => !plan.tar.includes(word))).toEqual([
    ...['unshare', '--pid', '--fork', '--kill-child', `--file=${PLACE}/boot--memory/tar`],
  ])
})

test('what is in memory is for root alone, and bounded', () => {
  const options = mountMemory(planOf('/boot'))[4] ?? ''
  expect(options).toMatch(/(^|,)mode=0700(,|$)/)
  expect(Number(/size=(\d+)/.exec(options)?.[1])).toBe((250 + 64) * 1024 ** 2)
})

test('no two volumes share a place, in memory or beside it', () => {
  const host = quietHost(
    { target: '/' },
    ...['/boot', '/boot/memory', '/boot--memory', '/memory'].map((target) => ({ target })),
  )
  const volumes = host.mounts.slice(1).map(({ target }) => volumeAt(target, host))
  const plans = planReading(volumes, snapshotRequestOf(), () => false)
  const places = plans.flatMap(({ mountPoint, memory }) => [mountPoint, memory])
  expect(new Set(places).size).toBe(places.length)
})

test.each<[readonly number[], readonly (readonly number[])[]]>([
  [[], []],
  [[3, 4], [[3, 4]]],
  [
    [10, 1],
    [[10], [1]],
  ],
  [
    [3, 4, 3, 1, 9, 2],
    [[3, 4, 3], [1, 9], [2]],
  ],
])('%j are in memory as %j, with 10 at a time', (sizes, expected) => {
  const plans = sizes.map((usedBytes) => ({ ...planOf('/boot'), origin: { ...volumeAt('/boot'), usedBytes } }))
  expect(planWaves(plans, 10).map((wave) => wave.map(({ origin }) => origin.usedBytes))).toEqual(expected)
})

test('what the kernel does not say of memory counts as none', () => {
  expect(parseAvailableBytes('MemTotal:  2000 kB\nMemAvailable:    1000 kB\n')).toBe(1024_000)
  expect(parseAvailableBytes('')).toBe(0)
})
