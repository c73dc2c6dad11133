/** Releases of small files: that they come out the same, and that hosts can be installed from them. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { list, type ReadEntry } from 'tar'
import { makeArchive } from '../../scripts/release/archive'
import { packagingFiles } from '../../scripts/release/packaging'
import { formatSbom } from '../../scripts/release/sbom'
import { makeSandbox, type Sandbox } from '../ssm-documents/sandbox'

const TIME = new Date('2026-01-31T02:00:00Z')
/** Its first word is one of Node's own options. */
const NODE = '#!/bin/sh\nshift; exec sh "$@"\n'

let sandbox: Sandbox
beforeEach(() => {
  sandbox = makeSandbox()
  // Nobody has to be root to see what root would install.
  sandbox.program('bin/id', '#!/bin/sh\necho 0\n')
  sandbox.program('bin/chown', '#!/bin/sh\n')
})
afterEach(() => sandbox.remove())

/** Sources in a directory of their own, with the host's directories moved into the sandbox. */
function makeInputs(name: string, { version = '1.1.0', node = NODE } = {}) {
  const directory = sandbox.path(name)
  mkdirSync(join(directory, 'package/bin'), { recursive: true })
  writeFileSync(join(directory, 'package/bin/node'), node, { mode: 0o755 })
  writeFileSync(join(directory, 'package/LICENSE'), 'the licence of Node\n')
  const runtime = join(directory, 'node.tgz')
  execFileSync('tar', ['-czf', runtime, '--mtime=@0', '--sort=name', '-C', directory, 'package'])
  const write = (file: string, text: string) => {
    writeFileSync(join(directory, file), text)
    return join(directory, file)
  }
  const moved = Object.entries(packagingFiles(resolve('.')).packaging).map(([file, source]) => {
    const text = readFileSync(source, 'utf8').replaceAll(
      /(?<![\w"}])\/(opt\/snapstream|etc\/snapstream|usr\/local\/(?:lib\/systemd|bin\/snapstream)|run\/systemd)/g,
      `${sandbox.root}/$1`,
    )
    return [file, write(file, text)] as const
  })
  return {
    ...{ version, architecture: 'x64' as const, time: TIME, runtime, packaging: Object.fromEntries(moved) },
    bundle: write('agent.cjs', `echo "snapstream ${version} $1"\n`),
    thirdPartyLicences: write('licences.txt', 'licences\n'),
  }
}

/** Makes a release and unpacks it. */
async function unpacked(options: { version?: string; node?: string } = {}): Promise<string> {
  const inputs = makeInputs(`sources-${options.version ?? '1.1.0'}`, options)
  const archive = await makeArchive(inputs, sandbox.root)
  execFileSync('tar', ['-xzf', sandbox.path(archive), '-C', sandbox.root])
  return sandbox.path(archive.replace('.tar.gz', ''))
}

function install(release: string) {
  const { status, stdout, stderr } = spawnSync(join(release, 'install.sh'), {
    encoding: 'utf8',
    env: { PATH: `${sandbox.path('bin')}:/usr/sbin:/usr/bin:/sbin:/bin` },
  })
  return { status, stdout, stderr }
}

const opt = (name = '') => sandbox.path(join('opt/snapstream', name))
const installed = () => readdirSync(opt()).sort()
const launcher = () => sandbox.path('usr/local/bin/snapstream')
const agentSays = (program = launcher()) => execFileSync(program, ['--version'], { encoding: 'utf8' }).trim()
const nameOf = (release: string) => readFileSync(join(release, 'VERSION'), 'utf8').trim()

test('a release made twice, by people with other umasks and at other times, is the same to the byte', async () => {
  const [first, second] = ['first', 'second'].map((name) => makeInputs(name))
  for (const file of readdirSync(sandbox.path('second'))) utimesSync(join(sandbox.path('second'), file), 1, 1)
  const bytes = []
  const before = process.umask(0o077)
  try {
    bytes.push(readFileSync(sandbox.path(await makeArchive(first!, sandbox.root))))
    process.umask(0o002)
    bytes.push(readFileSync(sandbox.path(await makeArchive(second!, sandbox.root))))
  } finally {
    process.umask(before)
  }
  expect(bytes[0]!.length).toBeGreaterThan(1000)
  expect(bytes[0]!.equals(bytes[1]!)).toBe(true)
})

test('a release has one directory, sorted, all of one time and nobody, and every file is in its sums', async () => {
  const archive = await makeArchive(makeInputs('sources'), sandbox.root)
  const entries: ReadEntry[] = []
  await list({ file: sandbox.path(archive), onReadEntry: (entry) => void entries.push(entry) })
  const directory = 'snapstream-1.1.0-linux-x64/'
  const files = entries.map(({ path }) => path.replace(directory, ''))
  expect(entries.every(({ path }) => path.startsWith(directory))).toBe(true)
  expect(files.slice(1)).toEqual(files.slice(1).sort())
  // The directory gets its time from whoever unpacks it.
  expect(entries.slice(1).map(({ mtime, uid, gid }) => [mtime?.getTime(), uid ?? 0, gid ?? 0])).toEqual(
    entries.slice(1).map(() => [TIME.getTime(), 0, 0]),
  )
  expect(entries.filter(({ mode, type }) => type === 'File' && mode! & 0o111).map(({ path }) => path)).toEqual(
    ['install.sh', 'node', 'snapstream'].map((file) => directory + file),
  )
  execFileSync('tar', ['-xzf', sandbox.path(archive), '-C', sandbox.root])
  const sums = readFileSync(sandbox.path(`${directory}SHA256SUMS`), 'utf8')
  const summed = [...sums.matchAll(/^[0-9a-f]{64} {2}\.\/(.+)$/gm)].map(([, file]) => file)
  expect(summed).toEqual(files.filter((file) => file !== '' && file !== 'SHA256SUMS'))
  execFileSync('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: sandbox.path(directory) })
})

test('a host without the agent has it afterwards, and its units, of which the timer is not enabled', async () => {
  const release = await unpacked()
  expect(install(release)).toMatchObject({ status: 0, stderr: '' })
  expect(agentSays()).toBe('snapstream 1.1.0 --version')
  expect(installed()).toEqual([nameOf(release), 'current'])
  expect(readdirSync(sandbox.path('usr/local/lib/systemd/system')).sort()).toEqual([
    'multi-user.target.wants',
    'snapstream-backup.service',
    'snapstream-backup.timer',
    'snapstream-boot-cleanup.service',
  ])
  expect(readdirSync(sandbox.path('usr/local/lib/systemd/system/multi-user.target.wants'))).toEqual([
    'snapstream-boot-cleanup.service',
  ])
  expect(statSync(sandbox.path('etc/snapstream')).mode & 0o777).toBe(0o700)
  expect(statSync(opt('current/node')).mode & 0o777).toBe(0o755)
})

test('installing twice changes nothing', async () => {
  const release = await unpacked()
  install(release)
  const before = statSync(opt('current/agent.cjs'))
  expect(install(release)).toMatchObject({ status: 0, stderr: '' })
  expect(statSync(opt('current/agent.cjs')).ino).toBe(before.ino)
  expect(installed()).toEqual([nameOf(release), 'current'])
})

test('an upgrade keeps the configuration and the version before, shares Node with it, and can be taken back', async () => {
  const [first, second] = [await unpacked({ version: '1.1.0' }), await unpacked({ version: '1.2.0' })]
  install(first)
  writeFileSync(sandbox.path('etc/snapstream/config.json'), '{}')
  expect(install(second)).toMatchObject({ status: 0, stdout: `snapstream ${nameOf(second)} is installed\n` })
  expect(agentSays()).toBe('snapstream 1.2.0 --version')
  expect(statSync(opt(`${nameOf(first)}/node`)).ino).toBe(statSync(opt(`${nameOf(second)}/node`)).ino)
  expect(readFileSync(sandbox.path('etc/snapstream/config.json'), 'utf8')).toBe('{}')
  install(first)
  expect(agentSays()).toBe('snapstream 1.1.0 --version')
})

test.each(['agent.cjs', 'node', 'snapstream-backup.service'])(
  'a release whose %s was changed is not installed',
  async (file) => {
    const before = await unpacked({ version: '1.1.0' })
    install(before)
    const release = await unpacked({ version: '1.2.0', node: `${NODE}# newer\n` })
    appendFileSync(join(release, file), '# somebody else\n')
    const { status, stderr } = install(release)
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/is damaged: its files are not what SHA256SUMS says\nHINT/),
    ])
    expect(agentSays()).toBe('snapstream 1.1.0 --version')
    expect(installed()).toEqual([nameOf(before), 'current'])
  },
)

test('a release that is not all there is not installed', async () => {
  const release = await unpacked()
  rmSync(join(release, 'node'))
  expect(install(release)).toMatchObject({ status: 1, stderr: expect.stringContaining('cannot be copied') })
  expect(installed()).toEqual([])
  expect(existsSync(launcher())).toBe(false)
})

test('an agent that does not run on the host is not put to use', async () => {
  const before = await unpacked({ version: '1.1.0' })
  install(before)
  const release = await unpacked({ version: '1.2.0', node: '#!/bin/sh\necho GLIBC_2.28 not found >&2; exit 1\n' })
  expect(install(release)).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/GLIBC.*\nthe agent does not run/),
  })
  expect(readlinkSync(opt('current'))).toBe(nameOf(before))
})

test('an installation that was damaged is made again', async () => {
  const release = await unpacked()
  install(release)
  writeFileSync(opt('current/agent.cjs'), 'echo somebody else\n')
  expect(install(release)).toMatchObject({ status: 0 })
  expect(agentSays()).toBe('snapstream 1.1.0 --version')
})

test('nobody but root installs', async () => {
  const release = await unpacked()
  sandbox.program('bin/id', '#!/bin/sh\necho 1000\n')
  expect(install(release)).toMatchObject({ status: 1, stderr: expect.stringContaining('only root') })
  expect(installed()).toEqual([])
})

test('what Systems Manager installs of the same release is what is there already', async () => {
  const release = await unpacked()
  install(release)
  const bundleSha256 = execFileSync('sha256sum', [join(release, 'agent.cjs')], { encoding: 'utf8' }).slice(0, 64)
  expect(nameOf(release)).toBe(`1.1.0-${bundleSha256.slice(0, 12)}`)
  const node = statSync(opt('current/node'))
  // Nothing can be downloaded in here: it has to find everything.
  const { status } = await sandbox.run('Install', { version: nameOf(release), bundleSha256 })
  expect(status).toBe('Success')
  expect(statSync(opt('current/node')).ino).toBe(node.ino)
})

test('the launcher is the one that Systems Manager installs', () => {
  const document = readFileSync('ssm-documents/installation.sh', 'utf8')
  expect(document).toContain(`<<'LAUNCHER'\n${readFileSync('packaging/snapstream', 'utf8')}LAUNCHER\n`)
})

test('a launcher is found through any links', async () => {
  install(await unpacked())
  symlinkSync(launcher(), sandbox.path('elsewhere'))
  expect(agentSays(sandbox.path('elsewhere'))).toBe('snapstream 1.1.0 --version')
})

test('install.sh passes shellcheck', () => {
  execFileSync('shellcheck', ['--external-sources', '--source-path=SCRIPTDIR', 'packaging/install.sh'], {
    stdio: 'pipe',
  })
})

describe('the list of what is in a release', () => {
  const component = (name: string) => ({ 'bom-ref': `${name}@1.0.0`, name, version: '1.0.0' })
  const fromNpm = (serial: string, timestamp: string) =>
    JSON.stringify({
      bomFormat: 'CycloneDX',
      serialNumber: serial,
      metadata: { timestamp, component: { ...component('snapstream'), name: 'some-directory' } },
      components: [component('zod'), component('tar'), component('aws-cdk-lib')],
      dependencies: [
        { ref: 'snapstream@1.0.0', dependsOn: ['zod@1.0.0', 'aws-cdk-lib@1.0.0', 'tar@1.0.0'] },
        { ref: 'zod@1.0.0', dependsOn: [] },
        { ref: 'aws-cdk-lib@1.0.0', dependsOn: ['zod@1.0.0'] },
        { ref: 'tar@1.0.0', dependsOn: ['aws-cdk-lib@1.0.0'] },
      ],
    })
  const options = { name: 'snapstream', shipped: ['tar@1.0.0', 'zod@1.0.0'], time: TIME }

  test('has what ships and nothing else', () => {
    const bom = JSON.parse(formatSbom(fromNpm('urn:uuid:1', '2026-11-24T00:00:00Z'), options))
    expect(bom.components).toEqual([component('tar'), component('zod')])
    expect(JSON.stringify(bom)).not.toContain('cdk')
    expect(bom.metadata).toMatchObject({ timestamp: TIME.toISOString(), component: { name: 'snapstream' } })
    expect(bom.serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('is the same each time, though npm draws a number and looks at the clock', () => {
    const [first, second] = [
      fromNpm('urn:uuid:1', '2026-11-24T00:00:00Z'),
      fromNpm('urn:uuid:2', '2026-11-25T00:00:00Z'),
    ]
    expect(formatSbom(first, options)).toBe(formatSbom(second, options))
    expect(formatSbom(first, { ...options, shipped: ['tar@1.0.0'] })).not.toContain(
      JSON.parse(formatSbom(first, options)).serialNumber,
    )
  })

  test('is not written where it would lack something', () => {
    expect(() => formatSbom(fromNpm('', ''), { ...options, shipped: ['zod@2.0.0'] })).toThrow('does not list zod@2.0.0')
  })
})
