/** The Quiesce document keeps the contract of Data Lifecycle Manager. */
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { makeSandbox, type Sandbox } from './sandbox'

jest.setTimeout(60_000)

let sandbox: Sandbox
beforeEach(() => {
  sandbox = makeSandbox()
  setUptime(1000)
  // The host's time, and the time for which a release waits, are what the test says.
  sandbox.program('bin/cut', `#!/bin/sh\ncat ${sandbox.path('uptime')}\n`)
  sandbox.program(
    'bin/sleep',
    `#!/bin/sh
echo $PPID >>${sandbox.path('waiting')}
until [ -e ${sandbox.path('over')}.$PPID ] || ! [ -d ${sandbox.root} ]; do /bin/sleep 0.05; done
`,
  )
})
afterEach(() => sandbox.remove())

function setUptime(seconds: number): void {
  writeFileSync(sandbox.path('uptime'), `${seconds}\n`)
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await wait(20)
}

/** The processes that wait until it is time to release a host, in the order in which they began. */
const waiting = () =>
  existsSync(sandbox.path('waiting')) ? readFileSync(sandbox.path('waiting'), 'utf8').trimEnd().split('\n') : []

/** Lets the time of one of them be over, and waits until it has done what it does then. */
async function letWaitEnd(nth: number): Promise<void> {
  await until(() => waiting().length > nth)
  const pid = waiting()[nth]!
  writeFileSync(`${sandbox.path('over')}.${pid}`, '')
  // Until somebody reaps it, a process that has ended has a number, but no command line.
  await until(() => !existsSync(`/proc/${pid}/cmdline`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '')
}

const EXECUTION = '01234567-89ab-cdef-0123-456789abcdef'

/** A hook that notes that it ran. */
const hook = (stage: 'pre' | 'post', name: string, ending = 'exit 0') =>
  sandbox.program(
    `etc/snapstream/hooks.d/${stage}/${name}`,
    `#!/bin/sh\necho "${name} $1 $SNAPSTREAM_COMMAND $SNAPSTREAM_EXECUTION_ID" >>${sandbox.path('log')}\n${ending}\n`,
  )
const log = () =>
  existsSync(sandbox.path('log')) ? readFileSync(sandbox.path('log'), 'utf8').trimEnd().split('\n') : []
const ran = () => log().map((line) => line.split(' ')[0])

async function quiesce(command: string, executionId = EXECUTION): Promise<number | undefined> {
  const { steps } = await sandbox.run('Quiesce', { command, executionId })
  return steps[0]?.code
}

/** A pre script that Systems Manager kills while its second hook is at work, which goes on after that. */
async function quiesceAndKill(afterwards = 'exit 0'): Promise<void> {
  hook('pre', '10-queue')
  hook('pre', '20-database', `until [ -e ${sandbox.path('killed')} ]; do /bin/sleep 0.05; done\n${afterwards}`)
  hook('post', '90-resume')
  const cancellation = new AbortController()
  const command = sandbox.run('Quiesce', { command: 'pre-script' }, { signal: cancellation.signal })
  await until(() => ran().includes('20-database'))
  cancellation.abort() // kills at once, and then waits for the hook, which has the command's output
  writeFileSync(sandbox.path('killed'), '')
  expect((await command).status).toBe('Cancelled')
}

test('pre hooks run in order, then post hooks, each told what for', async () => {
  hook('pre', '20-database')
  hook('pre', '10-queue')
  hook('post', '10-database')
  expect(await quiesce('pre-script')).toBe(0)
  expect(await quiesce('post-script')).toBe(0)
  expect(log()).toEqual([
    `10-queue pre-script pre-script ${EXECUTION}`,
    `20-database pre-script pre-script ${EXECUTION}`,
    `10-database post-script post-script ${EXECUTION}`,
  ])
})

test('a pre hook that fails releases the host at once: 201', async () => {
  hook('pre', '10-queue')
  hook('pre', '20-database', 'exit 5')
  hook('pre', '30-never')
  hook('post', '10-resume')
  expect(await quiesce('pre-script')).toBe(201)
  expect(ran()).toEqual(['10-queue', '20-database', '10-resume'])
  expect(await quiesce('post-script')).toBe(205)
})

test('a post hook that fails does not keep the others from running: 202', async () => {
  hook('post', '10-queue', 'exit 5')
  hook('post', '20-database')
  await quiesce('pre-script')
  expect(await quiesce('post-script')).toBe(202)
  expect(ran()).toEqual(['10-queue', '20-database'])
})

test('a second pre script finds the host held: 204', async () => {
  await quiesce('pre-script')
  expect(await quiesce('pre-script')).toBe(204)
  expect(await quiesce('post-script')).toBe(0)
})

test('a post script on its own: 205', async () => {
  expect(await quiesce('post-script')).toBe(205)
})

test('a host whose post script does not come is released: 203', async () => {
  hook('post', '10-resume')
  await quiesce('pre-script')
  await letWaitEnd(0)
  expect(ran()).toEqual(['10-resume'])
  expect(await quiesce('post-script')).toBe(203)
  expect(ran()).toEqual(['10-resume'])
})

describe('a pre script that is killed while its hooks are at work', () => {
  test('has made sure that the host is released, once the hook that outlives it is over', async () => {
    await quiesceAndKill(`echo "locked" >>${sandbox.path('log')}`)
    await letWaitEnd(0)
    expect(ran()).toEqual(['10-queue', '20-database', 'locked', '90-resume'])
    expect(await quiesce('post-script')).toBe(203)
  })

  test('has made sure of it before the first hook runs, however long that takes on a busy machine', async () => {
    sandbox.program('bin/setsid', '#!/bin/sh\n/bin/sleep 0.5\nexec /usr/bin/setsid "$@"\n')
    await quiesceAndKill()
    await letWaitEnd(0)
    expect(ran()).toEqual(['10-queue', '20-database', '90-resume'])
  })

  test('holds nothing where nothing would release it: 201', async () => {
    hook('pre', '10-queue')
    sandbox.program('bin/setsid', '#!/bin/sh\nexit 1\n')
    expect(await quiesce('pre-script')).toBe(201)
    expect(ran()).toEqual([])
    expect(await quiesce('post-script')).toBe(205)
  })

  test('leaves a host that the post script releases', async () => {
    await quiesceAndKill()
    expect(await quiesce('post-script')).toBe(0)
    expect(ran()).toEqual(['10-queue', '20-database', '90-resume'])
    expect(await quiesce('pre-script')).toBe(0)
  })

  test('leaves a host that is held until it is released: 204', async () => {
    await quiesceAndKill()
    setUptime(1059)
    expect(await quiesce('pre-script')).toBe(204)
    expect(ran()).toEqual(['10-queue', '20-database'])
  })

  test('does not stand in the way of the next one, although nobody has released the host', async () => {
    await quiesceAndKill()
    setUptime(1061)
    expect(await quiesce('pre-script')).toBe(0)
    expect(ran()).toEqual(['10-queue', '20-database', '90-resume', '10-queue', '20-database'])
    // Whoever waits for the end of the first has no business with the second.
    await letWaitEnd(0)
    expect(await quiesce('post-script')).toBe(0)
  })
})

test('a host whose post script never came is held again by the next pre script', async () => {
  hook('pre', '10-queue')
  hook('post', '90-resume')
  await quiesce('pre-script')
  await letWaitEnd(0)
  setUptime(1000 + 24 * 3600)
  expect(await quiesce('pre-script')).toBe(0)
  expect(ran()).toEqual(['10-queue', '90-resume', '10-queue'])
  expect(await quiesce('post-script')).toBe(0)
})

test('of two executions without an id, the first does not release the second', async () => {
  hook('post', '90-resume')
  await quiesce('pre-script', 'None')
  expect(await quiesce('post-script', 'None')).toBe(0)
  expect(await quiesce('pre-script', 'None')).toBe(0)
  await letWaitEnd(0)
  expect(ran()).toEqual(['90-resume'])
  await letWaitEnd(1)
  expect(ran()).toEqual(['90-resume', '90-resume'])
})

test('pre hooks that together take too long are as one that fails: 201', async () => {
  hook('pre', '10-queue', `echo 1050 >${sandbox.path('uptime')}`)
  hook('pre', '20-database')
  hook('post', '90-resume')
  expect(await quiesce('pre-script')).toBe(201)
  expect(ran()).toEqual(['10-queue', '90-resume'])
})

test('a daemon that a post hook starts does not keep the next pre script waiting', async () => {
  const daemon = `setsid /bin/sleep 20 </dev/null >/dev/null 2>&1 & echo $! >${sandbox.path('daemon')}`
  hook('post', '10-database', daemon)
  await quiesce('pre-script')
  await quiesce('post-script')
  expect(await quiesce('pre-script')).toBe(0)
  process.kill(Number(readFileSync(sandbox.path('daemon'), 'utf8')))
})

test('where there is systemd, the release waits in a unit of its own', async () => {
  mkdirSync(sandbox.path('run/systemd/system'), { recursive: true })
  sandbox.program('bin/systemd-run', `#!/bin/sh\nprintf '%s\\n' "$@" >"$0.arguments"\n`)
  expect(await quiesce('pre-script')).toBe(0)
  const told = readFileSync(sandbox.path('bin/systemd-run.arguments'), 'utf8').trimEnd().split('\n')
  const token = readFileSync(sandbox.path('run/snapstream-quiesce/held'), 'utf8').trimEnd()
  expect(told).toEqual(expect.arrayContaining(['--collect', `--unit=snapstream-release-${token}`]))
  expect(told.slice(-2)).toEqual(['release', token])
  expect(waiting()).toEqual([])
})

test('an application that is not ready says so itself: 206', async () => {
  hook('pre', '10-queue', 'exit 206')
  expect(await quiesce('pre-script')).toBe(206)
})

describe('a hook is not run', () => {
  const inHome = (name: string) => sandbox.path(`home/ann/${name}`)
  const moveToHome = (name: string) => {
    sandbox.program(`home/ann/${name}`, '#!/bin/sh\n')
    chownSync(inHome('.'), 65534, 0)
  }
  test.each<[string, (path: string) => void]>([
    ['that anybody can change', (path) => chmodSync(path, 0o757)],
    ['that its group can change', (path) => chmodSync(path, 0o775)],
    ['that is somebody else’s', (path) => chownSync(path, 65534, 0)],
    ['in a directory that anybody can change', (path) => chmodSync(dirname(path), 0o1777)],
    [
      'that is a link into a directory of somebody else',
      () => {
        moveToHome('hook')
        symlinkSync(inHome('hook'), sandbox.path('etc/snapstream/hooks.d/pre/05-link'))
      },
    ],
  ])('%s', async (_, spoil) => {
    spoil(hook('pre', '10-queue'))
    expect(await quiesce('pre-script')).toBe(201)
    expect(ran()).toEqual([])
  })

  test('but a link to a file of root’s is', async () => {
    const path = hook('post', '10-queue')
    symlinkSync(path, sandbox.path('etc/snapstream/hooks.d/post/20-link'))
    await quiesce('pre-script')
    expect(await quiesce('post-script')).toBe(0)
    expect(ran()).toEqual(['10-queue', '10-queue'])
  })
})

test('without hooks, both scripts succeed', async () => {
  expect(await quiesce('pre-script')).toBe(0)
  expect(await quiesce('post-script')).toBe(0)
})

test('a dry run names the hooks and runs none', async () => {
  const file = hook('pre', '10-queue')
  const { steps } = await sandbox.run('Quiesce', {})
  expect(steps[0]).toMatchObject({ code: 0, stdout: `${file}\n` })
  expect(ran()).toEqual([])
})
