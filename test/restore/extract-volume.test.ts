/** A bare directory is closed and filled; in any other, users may be at work, and what they have is not lost half-way. */
import { chmodSync, lstatSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import { openWay } from '../../agent/restore/directory.io'
import { openToUsers, restoreVolume, type RestoreOptions } from '../../agent/restore/extract-volume.io'
import { differences, planned, read, sources, target } from './fixture'

const options: RestoreOptions = { onConflict: 'overwrite', mountPoints: [], goesOn: false }
const modeOf = (path: string): number => lstatSync(path).mode & 0o7777

/** Restores /srv into the target itself, whatever was planned it to be. */
async function restoreSrv(changes: Partial<RestoreOptions> = {}, host: Host = localHost) {
  await using plan = await planned({ volume: ['/srv'], onConflict: 'overwrite' }, undefined, { host })
  using directory = openWay(target, { links: 'follow', mode: 0o700 })
  const place = { directory, name: target }
  const { ok, complaint, root } = await restoreVolume(plan.deps, plan.tasks[0]!, place, { ...options, ...changes })
  const closedMode = modeOf(target)
  const problem = root ? await openToUsers(plan.deps, place, root) : 'there is no root'
  return { ok, complaint, closedMode, problem }
}

test('a bare directory stays closed until it is opened to its users', async () => {
  chmodSync(target, 0o777)
  expect(await restoreSrv()).toEqual({ ok: true, complaint: '', closedMode: 0o700, problem: '' })
  expect(modeOf(target)).toBe(modeOf(sources.srv))
  expect(differences(sources.srv, target)).toEqual([])
})

test('one that is in use stays open, and keeps what the backup does not know', async () => {
  chmodSync(target, 0o775)
  for (const name of ['mine', 'größe "1"']) writeFileSync(join(target, name), 'mine')
  expect(await restoreSrv()).toMatchObject({ ok: true, complaint: '', closedMode: 0o775 })
  expect([read('mine'), read('größe "1"')]).toEqual(['mine', 'hostile'])
  expect(readdirSync(target).filter((name) => name.startsWith('.snapstream'))).toEqual([])
})

test('what the disk did not take is no success, and not to be resumed', async () => {
  const attempt: Host['attempt'] = async (argv, ...rest) =>
    argv[0] === 'sync'
      ? { stdout: '', stderr: 'sync: error syncing: Input/output error\n', status: 1, killedBy: null }
      : localHost.attempt(argv, ...rest)
  await expect(restoreSrv({}, { ...localHost, attempt })).rejects.toMatchObject({
    code: 'TARGET_UNFIT',
    message: `what was restored to ${target} is not all on disk: sync: error syncing: Input/output error`,
    hint: expect.stringContaining('with --on-conflict overwrite'),
  })
  expect(modeOf(target)).toBe(0o700)
})
