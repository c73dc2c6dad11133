/**
 * Buckets that somebody with root on a host has written to, and the bundle that ships, as an operator runs it on them: nothing
 * that was not asked for happens to the operator's machine, and nothing forged is called good.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { ListObjectsV2Command } from '@aws-sdk/client-s3'
import { catalogKey, dataKey, manifestKey, type RunKey } from '../../agent/contract'
import { createBucket, plainClient, testServers } from '../servers/index'
import { buildAgent, type Agent, type AgentRun } from '../support/agent'
import { extendedHeader, record, ROOT, tarOf as tarOfBlocks } from '../support/tar-blocks'
import {
  archiveAsAgent,
  editHeader,
  forgeRun,
  honestTree,
  placeOf,
  putAll,
  runTar,
  type ForgedRun,
  type ForgedVolume,
} from './intruder'
import { findHarm, findMisconduct, machineIn, operate, type Machine } from './operator'
import type { CatalogEntry } from '../../agent/tar/entry'

jest.setTimeout(300_000)

const server = testServers().seaweedfs
let agent: Agent
let scratch: string
let bucket: string
beforeAll(async () => {
  agent = buildAgent()
  // Not below /tmp, where everybody may write: that is another story.
  scratch = mkdtempSync('/var/lib/snapstream-hostile-')
  bucket = await createBucket(server)
})
afterAll(() => {
  agent[Symbol.dispose]()
  rmSync(scratch, { recursive: true })
})

let hosts = 0
const newHost = () => `db-${(hosts += 1)}`

/** A forged run, and an operator who works with it. */
interface Scene {
  readonly place: RunKey
  readonly machine: Machine
  readonly run: (...argv: readonly string[]) => Promise<AgentRun>
  /** `restore` into the target, of the run by its name. */
  readonly restore: (...argv: readonly string[]) => Promise<AgentRun>
}

type Forge = (place: RunKey, machine: Machine) => Omit<ForgedRun, 'place'>

async function sceneOf(forge: Forge, place = placeOf(newHost())): Promise<Scene> {
  const machine = machineIn(scratch)
  await putAll(server, bucket, forgeRun(scratch, { place, ...forge(place, machine) }))
  const run = async (...argv: readonly string[]) => {
    const ended = await operate(agent, server, { bucket, host: place.host }, argv)
    expect([argv.join(' '), findMisconduct(ended)]).toEqual([argv.join(' '), []])
    expect([argv.join(' '), findHarm(machine)]).toEqual([argv.join(' '), []])
    return ended
  }
  const restore = (...argv: readonly string[]) =>
    run('restore', '--run', place.run, '--target', machine.target, ...argv)
  return { place, machine, run, restore }
}

const oneVolume =
  (volume: Partial<ForgedVolume>, run: Omit<ForgedRun, 'place' | 'volumes'> = {}): Forge =>
  () => ({
    volumes: [{ mountPoint: '/', volume: 'vg0-root', ...volume }],
    ...run,
  })
const codeOf = ({ json }: AgentRun) => (json as { error?: { code: string } } | undefined)?.error?.code

test('a run that nobody has forged is listed, verified, searched and restored', async () => {
  const { run, restore, machine, place } = await sceneOf(oneVolume({}))
  expect((await run('list')).stdout).toContain(place.run)
  expect((await run('verify', '--run', place.run)).status).toBe(0)
  expect((await run('find', 'hosts')).stdout).toContain('/etc/hosts')
  expect((await restore()).status).toBe(0)
  expect(readFileSync(join(machine.target, 'etc/hosts'), 'utf8')).toBe('127.0.0.1 localhost\n')
})

const text = (edit: (manifest: string) => string) => oneVolume({}, { editManifest: edit })
const replaced = (from: string | RegExp, to: string) => text((manifest) => manifest.replace(from, to))
const elsewhere: RunKey = { class: 'daily', host: 'victim', run: '20260131T020000Z-k3xw7a' }

describe('a manifest that claims', () => {
  test.each<[string, Forge]>([
    ['to be of another host', oneVolume({}, { changes: { host: 'victim' } })],
    ['to be another run', oneVolume({}, { changes: { run: '20260131T020000Z-k3xw7a' } })],
    ['to be of another class', oneVolume({}, { changes: { class: 'monthly' } })],
    [
      "another host's archive",
      replaced(/data\/daily\/db-\d+\/[^/]+\/vg0-root/, dataKey(elsewhere, 'vg0-root', 'none', 0).slice(0, -4)),
    ],
    [
      "another host's catalog",
      replaced(/catalogs\/daily\/db-\d+\/[^/]+\/vg0-root\.jsonl\.zst/, catalogKey(elsewhere, 'vg0-root')),
    ],
    ['a key that leads upwards', replaced(/data\/daily\/(db-\d+)\//, 'data/daily/$1/../victim/')],
    ['two volumes of one mount point', () => ({ volumes: [{ mountPoint: '/' }, { mountPoint: '/' }] })],
    [
      'two volumes of one name',
      () => ({
        volumes: [
          { mountPoint: '/', volume: 'vg0-a' },
          { mountPoint: '/srv', volume: 'vg0-a' },
        ],
      }),
    ],
    ['a mount point that leads upwards', oneVolume({ mountPoint: '/../outside' })],
    ['a mount point that hides what the terminal shows', oneVolume({ mountPoint: '/srv\x1b[2K\x1b[1A' })],
    ['a mount point of two lines', oneVolume({ mountPoint: '/srv\nRestore: OK' })],
    ['a mount point that turns the direction of text', oneVolume({ mountPoint: '/srv\u202egpj' })],
    ['a filesystem that is a program', oneVolume({ changes: { filesystem: '../evil' } })],
    ['frames of 4 GiB', replaced('"frameBytes": 2097152', '"frameBytes": 4294967296')],
    ['a billion frames', replaced(/"frames": 1\b/, '"frames": 1000000000')],
    ['negative sizes', replaced(/"sizeBytes": \d+,\n(\s+)"crc32"/, '"sizeBytes": -1,\n$1"crc32"')],
    ['sizes that are no numbers', replaced(/"rawBytes": \d+/, '"rawBytes": 1e999')],
    ['sizes that no number can hold', replaced(/"storedBytes": \d+/, '"storedBytes": 9007199254740993')],
    ['no bytes at all', replaced(/"rawBytes": \d+/g, '"rawBytes": 0')],
    ['no segments', replaced(/"segments": \[[^\]]*\]/, '"segments": []')],
    ['its host twice', replaced('"host":', '"host": "victim",\n  "host":')],
    [
      'a volume twice, by a key that is written in another way',
      replaced('"volumes":', '"volum\\u0065s": [],\n  "volumes":'),
    ],
    ['nothing', text(() => '')],
    ['null', text(() => 'null')],
    ['to be a list of lists without end', text(() => '['.repeat(200_000))],
    ['more than fits in memory', text((manifest) => `${' '.repeat(65 << 20)}${manifest}`)],
    [
      'a million things that were not backed up',
      replaced('"notBackedUp": []', `"notBackedUp": [${'0,'.repeat(2_000_000)}0]`),
    ],
    ['lists of nothing', replaced('"lvs": {}', `"lvs": [${'[],'.repeat(5_000_000)}[]]`)],
    ['no volume', oneVolume({}, { changes: { volumes: [] } })],
    [
      'to be complete, of which a volume failed',
      oneVolume(
        {},
        { changes: { failures: [{ volume: 'v', mountPoint: '/v', code: 'INTERNAL', message: '', hint: '' }] } },
      ),
    ],
    ['a prototype', replaced('"format":', '"__proto__": {"status": "complete"},\n  "format":')],
    ['to be of a later format', replaced(/"format": \d+/, '"format": 99')],
  ])('%s is believed by nobody', async (claim, forge) => {
    const { run, restore, machine, place } = await sceneOf(forge)
    // Nothing but how it is shown depends on the direction of text.
    const harmless = claim === 'a mount point that turns the direction of text'
    expect((await restore()).status === 0).toBe(harmless)
    expect((await run('verify', '--run', place.run)).status === 0).toBe(harmless)
    expect((await run('list')).stdout).toContain(place.run) // shown, as what it is
    if (!harmless) expect(existsSync(machine.target)).toBe(false)
  })

  test('to be of another host leaves no verdict on a run of that host', async () => {
    const { run, place } = await sceneOf(oneVolume({}, { changes: { host: 'victim' } }))
    await run('verify', '--run', place.run)
    const client = plainClient(server)
    for (const prefix of ['verifications', 'verdicts']) {
      const { KeyCount } = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}/daily/victim/` }),
      )
      expect(KeyCount).toBe(0)
    }
    client.destroy()
  })
})

describe('a run that was written at another time than its name says', () => {
  const evil: Forge = oneVolume({ tree: (directory) => writeFileSync(join(directory, 'evil'), 'evil') })
  const before = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 16) + 'Z'

  test.each([
    ['three days ago, to be what an operator goes back to', 3],
    ['in ten years, to be the newest for ever', -3650],
    ['tomorrow', -1],
  ])('%s, is not', async (_, daysAgo) => {
    const host = newHost()
    const { run, machine } = await sceneOf(oneVolume({}), placeOf(host, 0, 'honest'))
    await putAll(
      server,
      bucket,
      forgeRun(scratch, { place: placeOf(host, daysAgo, 'forged'), ...evil(placeOf(host), machine) }),
    )
    expect((await run('restore', '--target', machine.target)).stdout).toContain('-honest')
    expect(existsSync(join(machine.target, 'etc/hosts'))).toBe(true)
    const back = join(machine.target, 'back')
    expect((await run('restore', '--at', before(1), '--target', back)).status).not.toBe(0)
    expect((await run('restore', '--run', placeOf(host, daysAgo, 'forged').run, '--target', back)).status).not.toBe(0)
    expect((await run('list')).stdout).toMatch(/-forged/)
    expect((await run('find', 'evil')).stdout).not.toContain('/evil')
  })

  test('is restored where the operator says that the bucket is a copy', async () => {
    const { run, machine, place } = await sceneOf(oneVolume({}), placeOf(newHost(), 30))
    expect((await run('restore', '--run', place.run, '--target', machine.target)).status).not.toBe(0)
    expect((await run('restore', '--run', place.run, '--target', machine.target, '--trust-times')).status).toBe(0)
  })

  test('and an archive that was written after its manifest is not what the manifest was of', async () => {
    const { place, restore, machine } = await sceneOf(oneVolume({ compression: 'none' }))
    await new Promise((resolve) => setTimeout(resolve, 2100)) // S3's times are whole seconds
    const key = dataKey(place, 'vg0-root', 'none', 0)
    const again = forgeRun(scratch, { place, ...oneVolume({ compression: 'none' })(place, machine) })
    await putAll(server, bucket, new Map([[key, again.get(key)!]]))
    expect((await restore()).status).not.toBe(0)
  })
})

describe('a catalog that says', () => {
  const find = (entries: readonly CatalogEntry[], path: string) => entries.find((entry) => entry.path === path)!
  const change = (path: string, changes: Partial<CatalogEntry>) => (entries: CatalogEntry[]) =>
    entries.map((entry) => (entry.path === path ? { ...entry, ...changes } : entry))
  const withEvil = (directory: string) => {
    honestTree(directory)
    writeFileSync(join(directory, 'etc/evil'), '* * * * * root id')
    writeFileSync(join(directory, 'etc/tool'), '#!/bin/sh')
    symlinkSync('hosts', join(directory, 'etc/link'))
  }
  const hosts = 'etc/hosts'

  test.each<[string, (entries: CatalogEntry[]) => CatalogEntry[]]>([
    [
      'that one file takes all the bytes that there are',
      (entries) => {
        const [first] = entries
        const last = entries.at(-1)!
        return [{ ...find(entries, hosts), offset: first!.offset, bytes: last.offset + last.bytes - first!.offset }]
      },
    ],
    ['another name', change('etc/evil', { path: 'etc/good' })],
    ['another mode', change('etc/tool', { mode: 0o600 })],
    ['another size', change('etc/evil', { path: 'etc/good', size: 1 })],
    ['another type', change('etc/link', { type: 'file', link: undefined } as unknown as CatalogEntry)],
    ['another target of a link', change('etc/link', { link: 'tool' })],
    ['another owner', change('etc/tool', { uid: 1 })],
    [
      'the place of another entry',
      (entries) => {
        const { offset, bytes, size } = find(entries, 'etc/evil')
        return entries
          .map((entry) => (entry.path === hosts ? { ...entry, offset, bytes, size } : entry))
          .filter(({ path }) => path !== 'etc/evil')
      },
    ],
    ['a place beyond the end', change(hosts, { offset: 1 << 30 })],
    ['a place between two blocks', change(hosts, { offset: 100 })],
    ['one entry twice', (entries) => entries.flatMap((entry) => (entry.path === hosts ? [entry, entry] : [entry]))],
    ['a name that leads upwards', change('etc/evil', { path: '../outside/evil' })],
    ['a name from the root', change('etc/evil', { path: '/etc/evil' })],
    [
      'a name that is two',
      change('etc/evil', { path: 'etc/good', path64: Buffer.from('etc/evil').toString('base64') }),
    ],
    ['a name of two lines that hides itself', change('etc/evil', { path: 'etc/x\x1b[2K\nRestore: OK' })],
  ])('%s: nothing of it is given to tar', async (_, editEntries) => {
    const { restore, run, machine, place } = await sceneOf(oneVolume({ tree: withEvil, editEntries }))
    rmSync(machine.target, { recursive: true, force: true })
    const ended = await operate(agent, server, { bucket, host: place.host }, [
      'restore',
      '--run',
      place.run,
      '--target',
      machine.target,
    ])
    expect(findMisconduct(ended)).toEqual([])
    expect(ended.status).not.toBe(0)
    expect(existsSync(join(machine.outside, 'evil'))).toBe(false)
    rmSync(machine.target, { recursive: true, force: true })
    // The one file that an operator asks for, where all that is asked of the target is that it stays as it is.
    mkdirSync(join(machine.target, 'etc'), { recursive: true })
    writeFileSync(join(machine.target, 'etc/tool'), 'mine')
    await restore('--path', `/${hosts}`, '--dry-run')
    await restore('--path', `/${hosts}`)
    expect(readFileSync(join(machine.target, 'etc/tool'), 'utf8')).toBe('mine')
    await run('find', '*')
  })

  const asText = (edit: (catalog: string) => string): Forge => oneVolume({ editCatalog: edit })
  test.each<[string, Forge]>([
    [
      'a line of 2 MiB',
      asText((catalog) => catalog.replace('"path":"etc/hosts"', `"path":"etc/${'a'.repeat(2 << 20)}"`)),
    ],
    ['64 MiB without a line', asText(() => 'a'.repeat(64 << 20))],
    ['numbers that are none', asText((catalog) => catalog.replace(/"size":\d+/, '"size":-1'))],
    [
      'numbers past what a number can hold',
      asText((catalog) => catalog.replace(/"offset":\d+/, '"offset":9007199254740993')),
    ],
    ['its offset twice', asText((catalog) => catalog.replace('"offset":', '"offset":0,"offset":'))],
    [
      'that it is of another run',
      asText((catalog) => catalog.replace(/"run":"[^"]+"/, '"run":"20260131T020000Z-k3xw7a"')),
    ],
    [
      'that it is of another volume',
      asText((catalog) => catalog.replace('"volume":"vg0-root"', '"volume":"vg0-evil"')),
    ],
    ['that frames are larger', asText((catalog) => catalog.replace('"frameBytes":2097152', '"frameBytes":4294967296'))],
    ['that frames are empty', asText((catalog) => catalog.replace(/"storedBytes":\[\d+\]/, '"storedBytes":[0]'))],
    ['that a frame is negative', asText((catalog) => catalog.replace(/"storedBytes":\[\d+\]/, '"storedBytes":[-5]'))],
    ['nothing at its end', asText((catalog) => catalog.replace(/\{"end".*\n/, ''))],
    ['nothing', asText(() => '')],
    ['no JSON', asText((catalog) => catalog.replace('{"path":"etc/hosts"', '{"path":'))],
  ])('%s: restore, verify and find say so', async (claim, forge) => {
    const { run, restore, place } = await sceneOf(forge)
    expect((await restore()).status).not.toBe(0)
    expect((await run('verify', '--run', place.run)).status).not.toBe(0)
    // Where frames lie is nothing to a search.
    expect((await run('find', '*')).status).toBe(/frames are/.test(claim) ? 0 : 3)
  })

  test('nonsense for one run does not keep find from the others', async () => {
    const host = newHost()
    const { run, machine } = await sceneOf(oneVolume({}), placeOf(host, 1 / 24, 'honest'))
    const place = placeOf(host, 0, 'forged')
    await putAll(server, bucket, forgeRun(scratch, { place, ...asText(() => 'a'.repeat(64 << 20))(place, machine) }))
    const { status, stdout } = await run('find', 'hosts')
    expect([status, stdout.includes('/etc/hosts')]).toEqual([3, true])
  })
})

describe('an archive', () => {
  const evilTree = (directory: string) => {
    honestTree(directory)
    writeFileSync(join(directory, 'etc/evil'), '* * * * * root id')
  }

  test('with a link where the next volume is mounted does not lead that volume elsewhere', async () => {
    const { restore, machine } = await sceneOf((_, { outside }) => ({
      volumes: [
        { mountPoint: '/', volume: 'vg0-root', tree: (directory) => symlinkSync(outside, join(directory, 'srv')) },
        {
          mountPoint: '/srv',
          volume: 'vg0-srv',
          tree: (directory) => writeFileSync(join(directory, 'precious'), 'overwritten'),
        },
      ],
    }))
    expect((await restore()).status).not.toBe(0)
    expect((await restore('--on-conflict', 'overwrite')).status).not.toBe(0)
    expect(readFileSync(join(machine.outside, 'precious'), 'utf8')).toBe('precious')
  })

  test('with a link above where the next volume is mounted does not either', async () => {
    const { restore } = await sceneOf((_, { outside }) => ({
      volumes: [
        { mountPoint: '/', volume: 'vg0-root', tree: (directory) => symlinkSync(outside, join(directory, 'var')) },
        {
          mountPoint: '/var/lib',
          volume: 'vg0-lib',
          tree: (directory) => writeFileSync(join(directory, 'evil'), 'evil'),
        },
      ],
    }))
    expect((await restore()).status).not.toBe(0)
  })

  /** Two archives as one: what the second one says comes after what the first one made. */
  const joined = (first: (directory: string) => void, second: (directory: string) => void) => (directory: string) => {
    const parts = [first, second].map((tree, index) => {
      const root = join(directory, `part-${index}`)
      mkdirSync(root)
      tree(root)
      return archiveAsAgent(root)
    })
    return Buffer.concat([parts[0]!.subarray(0, lastEntryEnd(parts[0]!)), parts[1]!])
  }
  const lastEntryEnd = (tar: Buffer) => {
    let end = tar.length
    while (end > 0 && tar.subarray(end - 512, end).every((byte) => byte === 0)) end -= 512
    return end
  }

  test('with a link, and then what lies behind it, writes nothing behind it', async () => {
    const { restore } = await sceneOf((_, { outside }) => ({
      volumes: [
        {
          mountPoint: '/',
          tree: () => undefined,
          archive: joined(
            (root) => symlinkSync(outside, join(root, 'etc')),
            (root) => {
              mkdirSync(join(root, 'etc'))
              writeFileSync(join(root, 'etc/evil'), 'evil')
              writeFileSync(join(root, 'etc/precious'), 'overwritten')
            },
          ),
        },
      ],
    }))
    // Whatever becomes of it in the target: nothing is written elsewhere, which every command here is held to.
    await restore('--path', '/etc/precious')
    await restore('--path', '/etc/precious', '--on-conflict', 'overwrite')
  })

  const tarOf =
    (...args: string[]) =>
    (directory: string) =>
      runTar('tar', '--create', '--format=posix', '--file=-', ...args, '--directory', directory, '.')
  test.each<[string, ForgedVolume['archive']]>([
    ['names that lead upwards', tarOf('--transform=s,^./etc/evil$,../outside/evil,', '--absolute-names')],
    ['names from the root', tarOf('--transform=s,^./etc/evil$,/tmp/evil,', '--absolute-names')],
    ['a header for all entries that come', tarOf('--pax-option=comment=evil')],
    ['a volume label', tarOf('--label=evil')],
    [
      'a name in one header, and another in the next',
      (directory) => editHeader(archiveAsAgent(directory), './etc/hosts', (header) => header.write('./etc/evil\0', 0)),
    ],
    [
      'a size in octal digits and one in other digits',
      (directory) =>
        editHeader(archiveAsAgent(directory), './etc/hosts', (header) => header.write('  00000024 \0', 124)),
    ],
    [
      'a type that nobody knows',
      (directory) => editHeader(archiveAsAgent(directory), './etc/hosts', (header) => header.write('Z', 156)),
    ],
    [
      'a list of what to remove',
      (directory) => editHeader(archiveAsAgent(directory), './etc/', (header) => header.write('D', 156)),
    ],
  ])('with %s is not extracted', async (_, archive) => {
    const { restore } = await sceneOf(oneVolume({ tree: evilTree, editTar: () => archive!(mkdirOf(evilTree)) }))
    expect((await restore('--path', '/etc/hosts')).status).not.toBe(0)
  })

  test('of which the catalog says the same is called good only where it comes back', async () => {
    const archives = [
      tarOfBlocks(ROOT, extendedHeader(record('path', './a')), { name: './b', pax: [['path', './c']] }),
      tarOfBlocks(ROOT, { name: './a', magic: 'ustar  \0' }),
      tarOfBlocks(ROOT, { name: './a/b' }),
      tarOfBlocks(ROOT, { name: './a', type: '1', link: './b' }),
      tarOfBlocks(ROOT, { name: './a', type: 'Z' }),
      tarOfBlocks({ name: Buffer.from([0x1f, 0x8b, 8, 0x41]) }, ROOT),
    ]
    const { run, restore, place } = await sceneOf(() => ({
      volumes: archives.map((tar, index) => ({ mountPoint: `/v${index}`, archive: () => tar })),
    }))
    const { status, json } = await run('verify', '--run', place.run, '--depth', 'stream')
    const { volumes } = json as { volumes: { findings: object[] }[] }
    expect([status, volumes.map(({ findings }) => findings.length > 0)]).toEqual([1, archives.map(() => true)])
    for (const index of archives.keys()) expect((await restore('--volume', `/v${index}`)).status).not.toBe(0)
  })

  const mkdirOf = (tree: (directory: string) => void) => {
    const directory = mkdtempSync(join(scratch, 'source-'))
    tree(directory)
    return directory
  }

  test('with a set-uid program that its catalog does not mention as one has it restored by nobody', async () => {
    const setUid = (directory: string) => {
      honestTree(directory)
      writeFileSync(join(directory, 'etc/su'), '#!/bin/sh', { mode: 0o755 })
      chmodSync(join(directory, 'etc/su'), 0o4755)
    }
    const hide = (entries: CatalogEntry[]) => entries.map((entry) => ({ ...entry, mode: entry.mode & 0o777 }))
    const { restore } = await sceneOf(oneVolume({ tree: setUid, editEntries: hide }))
    expect((await restore()).status).not.toBe(0)
    expect((await restore('--path', '/etc/su', '--on-conflict', 'overwrite')).status).not.toBe(0)
  })

  test('whose frame is a gigabyte is not unpacked', async () => {
    const { restore, place } = await sceneOf(
      oneVolume(
        {},
        {
          editObjects: (objects) => {
            const key = [...objects.keys()].find((name) => name.startsWith('data/'))!
            objects.set(key, zstdCompressSync(Buffer.alloc(1 << 30)).subarray(0, objects.get(key)!.length))
          },
        },
      ),
    )
    expect(codeOf(await restore())).toBe('ARCHIVE_DAMAGED')
    expect(manifestKey(place)).toContain(place.run)
  })
})

describe('a verdict of a host', () => {
  const verdict = (depth: string, ok: boolean) =>
    Buffer.from(JSON.stringify({ depth, ok, finishedAt: '9999-12-31T23:59:59.000Z', findings: [] }))
  const verdictAt = ({ host, run }: RunKey) => `verifications/daily/${host}/${run}/99991231T235959Z.json`

  test('that a good run failed takes nothing from what an operator has found', async () => {
    const { run, place } = await sceneOf(oneVolume({}))
    expect((await run('verify', '--run', place.run)).status).toBe(0)
    await putAll(server, bucket, new Map([[verdictAt(place), verdict('stream', false)]]))
    const { json } = await run('list')
    expect((json as { runs: { verified: { ok: boolean } }[] }).runs[0]?.verified).toMatchObject({
      ok: true,
      depth: 'stream',
    })
  })

  test('that a damaged run was compared with its source does not outrank what an operator has found', async () => {
    const { run, place } = await sceneOf(oneVolume({ editCatalog: (catalog) => catalog.replace(/\{"end".*\n/, '') }))
    expect((await run('verify', '--run', place.run)).status).not.toBe(0)
    await putAll(server, bucket, new Map([[verdictAt(place), verdict('source', true)]]))
    const { json } = await run('list')
    expect((json as { runs: { verified: { ok: boolean } }[] }).runs[0]?.verified).toMatchObject({ ok: false })
  })

  test.each([
    '',
    'null',
    '{"depth":"source","ok":true,"ok":false}',
    '[['.repeat(50_000),
    `{"depth":"\u001b[2J","ok":true}`,
  ])('that nobody can read is nothing: %j', async (content) => {
    const { run, place } = await sceneOf(oneVolume({}))
    await putAll(server, bucket, new Map([[verdictAt(place), Buffer.from(content)]]))
    expect((await run('list')).status).toBe(0)
  })
})

describe('names of files', () => {
  const NAMES = [
    '\x1b[2K\x1b[1A',
    'x\n  restore: snapstream restore --host bad',
    '\u202egpj.exe',
    '-rf',
    '$(id)',
    "it's",
    '\x9b31m',
    '*',
  ]

  test('reach the terminal as text, whatever is in them', async () => {
    const tree = (directory: string) => {
      for (const name of NAMES) writeFileSync(join(directory, name), name)
    }
    const { run, restore, machine } = await sceneOf(oneVolume({ tree }))
    const { stdout } = await run('find', '*')
    expect(stdout.split('\n').filter((line) => line.startsWith('  restore: '))).toHaveLength(1)
    expect((await restore('--dry-run')).status).toBe(0)
    expect((await restore()).status).toBe(0)
    expect((await restore()).status).not.toBe(0) // has these already, each of which it names
    expect(readFileSync(join(machine.target, NAMES[0]!), 'utf8')).toBe(NAMES[0])
  })
})

describe('the plan of a rebuild', () => {
  test.each<[string, Partial<ForgedVolume['changes'] & object>]>([
    ['a program', { filesystem: 'evil' }],
    ['options of mkfs', { uuid: 'x,agcount=1' }],
    ['what hides a line', { label: 'x\x1b[1A\x1b[2K' }],
  ])('takes no word of a manifest for %s', async (_, changes) => {
    const { run, place, machine } = await sceneOf(oneVolume({ changes }))
    const script = join(machine.target, '..', 'rebuild.sh')
    const { status } = await run('restore-plan', '--run', place.run, '--script', script)
    expect([status === 0, existsSync(script)]).toEqual([false, false])
  })
})
