/** The Quiesce document keeps the contract of Data Lifecycle Manager. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { makeSandbox, type Sandbox } from './sandbox'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = makeSandbox()
})
afterEach(() => sandbox.remove())

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

async function quiesce(command: string): Promise<number | undefined> {
  const { steps } = await sandbox.run('Quiesce', { command, executionId: EXECUTION })
  return steps[0]?.code
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

test('a host whose post script does not come is released: 203', async () => {
  hook('post', '10-resume')
  sandbox.program('bin/sleep', '#!/bin/sh\nexec /bin/sleep 0.5\n')
  await quiesce('pre-script')
  await new Promise((resolve) => setTimeout(resolve, 2000))
  expect(ran()).toEqual(['10-resume'])
  expect(await quiesce('post-script')).toBe(203)
  expect(ran()).toEqual(['10-resume'])
})

test('a second pre script finds the host held: 204', async () => {
  await quiesce('pre-script')
  expect(await quiesce('pre-script')).toBe(204)
  expect(await quiesce('post-script')).toBe(0)
})

test('a post script on its own: 205', async () => {
  expect(await quiesce('post-script')).toBe(205)
})

test('an application that is not ready says so itself: 206', async () => {
  hook('pre', '10-queue', 'exit 206')
  expect(await quiesce('pre-script')).toBe(206)
})

test('a hook that others than root can change is not run', async () => {
  chmodSync(hook('pre', '10-queue'), 0o777)
  expect(await quiesce('pre-script')).toBe(201)
  expect(ran()).toEqual([])
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
