import { findPackageManager, waitForPackageManagers } from '../../../agent/source/quiet/package-locks.io'
import { parseLslocks } from '../../../agent/source/quiet/package-locks'
import { fakeHost, type Answers } from '../../support/fake-host'
import { localDeps } from '../../support/host-deps'
import { refusalOf } from '../../support/refusal'

const lock = (changes: object = {}) => ({
  ...{ command: 'dpkg', pid: 17, mode: 'WRITE', path: '/var/lib/dpkg/lock' },
  ...changes,
})
const print = (...locks: readonly object[]) => JSON.stringify({ locks })

function depsWith(answers: Answers) {
  const host = fakeHost({ stat: '2049:12\n2049:12\n', ...answers })
  return { ...localDeps(), host }
}

test.each([
  ['dpkg at work', lock(), true],
  ['apt at work', lock({ command: 'apt-get', path: '/var/lib/dpkg/lock-frontend' }), true],
  ['rpm at work, as an older lslocks tells it', lock({ pid: '17', path: '/var/lib/rpm/.rpm.lock' }), true],
  ['rpm at work on Fedora', lock({ path: '/usr/lib/sysimage/rpm/.rpm.lock' }), true],
  ['rpm asked for what is installed', lock({ mode: 'READ', path: '/var/lib/rpm/.rpm.lock' }), false],
  ['somebody who waits', lock({ mode: 'WRITE*' }), false],
  ['lists being fetched', lock({ path: '/var/lib/apt/lists/lock' }), false],
  ['a process that cannot be seen', lock({ path: null, command: null, pid: -1 }), false],
])('%s: %s', (_, row, isAtWork) => {
  expect(parseLslocks(print(row)).length > 0).toBe(isAtWork)
})

test('who holds a lock is told by name', async () => {
  expect(await findPackageManager(depsWith({ lslocks: print(lock()) }))).toBe(
    'dpkg (process 17) holds /var/lib/dpkg/lock',
  )
})

test('a host without any lock has none, whatever lslocks prints then', async () => {
  expect(await findPackageManager(depsWith({ lslocks: '' }))).toBeUndefined()
  expect(await findPackageManager(depsWith({ lslocks: '{"locks": []}' }))).toBeUndefined()
  expect(await refusalOf(findPackageManager(depsWith({ lslocks: 'PATH' })))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
  })
})

test('a container that installs its own packages is in nobody’s way; one that cannot be told from us is', async () => {
  const lslocks = print(lock())
  expect(await findPackageManager(depsWith({ lslocks, stat: '2049:12\n51:777\n' }))).toBeUndefined()
  expect(await findPackageManager(depsWith({ lslocks, stat: { status: 1 } }))).toContain('process 17')
})

test('it is waited for, and the wait has an end', async () => {
  let looks = 0
  const deps = depsWith({ lslocks: () => (++looks > 1 ? '' : print(lock())) })
  expect([await waitForPackageManagers(deps, 60), looks]).toEqual([undefined, 2])
  expect(deps.logged).toEqual([expect.stringContaining('waiting: dpkg (process 17) holds')])
  expect(await waitForPackageManagers(depsWith({ lslocks: print(lock()) }), 0)).toContain('dpkg (process 17)')
})

test('a run that is stopped does not wait', async () => {
  const deps = { ...depsWith({ lslocks: print(lock()) }), signal: AbortSignal.timeout(100) }
  await expect(waitForPackageManagers(deps, 60)).rejects.toThrow()
})
