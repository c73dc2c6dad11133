/** What befalls one volume decides nothing about the others, and nobody gets in before all is there. */
import { lstatSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { restoreAll } from '../../agent/restore/volumes.io'
import { silentLog } from '../support/log'
import { differences, planned, read, sources, target } from './fixture'

const modeOf = (path: string): number => lstatSync(path).mode & 0o7777

test('the outer volume first, whatever the order, and closed until the inner one is done', async () => {
  const modes: [string, number][] = []
  const info = (message: string) => {
    if (message.includes(' to ')) modes.push([message.split(' ')[1]!, modeOf(target)])
  }
  await using plan = await planned({}, undefined, { log: { ...silentLog, info } })
  const { volumes, failures } = await restoreAll(plan.deps, plan.request, plan.tasks.toReversed())
  expect(failures).toEqual([])
  expect(volumes.map(({ mountPoint, failedEntries, complaint }) => [mountPoint, failedEntries, complaint])).toEqual([
    ['/', 0, ''],
    ['/srv', 0, ''],
  ])
  expect(modes).toEqual([
    ['/', 0o700],
    ['/srv', 0o700],
  ])
  expect(modeOf(target)).toBe(modeOf(sources.root))
  expect(differences(sources.srv, join(target, 'srv'))).toEqual([])
})

test('a volume that has a file in its way fails alone', async () => {
  await using alone = await planned({ volume: ['/srv'] })
  await using both = await planned()
  writeFileSync(join(target, 'srv'), 'made meanwhile')
  await expect(restoreAll(alone.deps, alone.request, alone.tasks)).rejects.toMatchObject({ code: 'TARGET_UNFIT' })
  const { volumes, failures } = await restoreAll(both.deps, both.request, both.tasks)
  expect(volumes).toMatchObject([{ mountPoint: '/' }])
  expect(failures).toMatchObject([{ mountPoint: '/srv', directory: `${target}/srv`, code: 'TARGET_UNFIT' }])
  expect(read('srv')).toBe('made meanwhile')
})

test('an interruption ends it for all volumes', async () => {
  const controller = new AbortController()
  await using plan = await planned({}, undefined, { signal: controller.signal })
  controller.abort()
  await expect(restoreAll(plan.deps, plan.request, plan.tasks)).rejects.toMatchObject({ code: 'INTERRUPTED' })
})
