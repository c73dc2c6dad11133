/** What `--verify` proves of an archive, with a server that confirms checksums and with one that keeps none. */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { verifyAfterUpload, type VerifyPlan, type VerifyResult } from '../../agent/backup/verify-after-upload.io'
import { archiveVolume } from '../../agent/archive/write.io'
import type { MountedSnapshot, SnapshotPlan } from '../../agent/source/source'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { archiveBucket, type Misbehaviour } from '../archive/archive-bucket'
import { CATALOG_KEY, depsOf, KEY, requestOf } from '../archive/write-fixture'
import type { Store } from '../../agent/context'

jest.setTimeout(60_000)

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'prove-'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
  writeFileSync(join(root, 'data'), randomBytes(9_000_000)) // two parts
})
afterEach(() => rmSync(root, { recursive: true }))

interface Told {
  readonly proved: VerifyResult
  readonly read: readonly string[]
  readonly said: readonly string[]
}

/** Archives the tree as a backup does, and proves it. */
async function backUp(
  misbehaviour: Misbehaviour,
  wanted: Pick<VerifyPlan, 'verify'> & Partial<VerifyPlan>,
): Promise<Told> {
  const bucket = archiveBucket(misbehaviour)
  const read: string[] = []
  const said: string[] = []
  const getRange: Store['getRange'] = (key, ...rest) => (read.push(key), bucket.store.getRange(key, ...rest))
  const deps = depsOf({ ...bucket, store: { ...bucket.store, getRange } })
  const log = { ...deps.log, info: (message: string) => void said.push(message) }
  let unconfirmed: string | undefined
  const tar = tarCreate(root)
  const source = { kind: 'lvm', group: 'vg0', name: 'srv', snapshot: { type: 'thin', sizeBytes: 0 } } as const
  const lease = { [Symbol.asyncDispose]: () => Promise.resolve() }
  const mount: MountedSnapshot = { source, tar, tarListed: tarCreateListed(root), ...lease }
  const archive = await archiveVolume(deps, requestOf(tar, { onUnconfirmed: (key) => (unconfirmed = key) }))
  const plan = { origin: { volume: 'vg0-srv', mountPoint: '/srv' }, mountPoint: root } as SnapshotPlan
  const proved = await verifyAfterUpload(
    { ...deps, log },
    plan,
    { archive },
    {
      ...{ mount, sample: undefined, unconfirmed, onWarnings: () => undefined },
      ...wanted,
    },
  )
  return { proved, read, said }
}

const flipOneBit =
  (wantedKey: string, wantedPart: number): Misbehaviour['garble'] =>
  (key, partNumber, body) => {
    const arrived = Buffer.from(body)
    if (key === wantedKey && partNumber === wantedPart) arrived[arrived.length >> 1]! ^= 1
    return arrived
  }

test('a server that confirms checksums has proved them: nothing is read back', async () => {
  const { proved, read } = await backUp({}, { verify: 'checksum' })
  expect(proved).toEqual({ verified: 'checksum' })
  expect(read).toEqual([])
})

describe('a server that keeps no checksums', () => {
  const keepsChecksums = false

  test('confirms none: the archive is read back instead, and that is what is recorded', async () => {
    const { proved, read, said } = await backUp({ keepsChecksums }, { verify: 'checksum' })
    expect(proved).toEqual({ verified: 'stream' })
    expect(new Set(read)).toEqual(new Set([KEY, CATALOG_KEY]))
    expect(said).toContainEqual(
      expect.stringMatching(/^\/srv: the server confirms no checksum of .*: reading the archive back/),
    )
  })

  test.each([
    ['a part of the data', KEY, 2],
    ['the catalog', CATALOG_KEY, 1],
  ])('takes %s that was damaged on its way, and the backup of that volume fails', async (_, key, part) => {
    const garble = flipOneBit(key, part)!
    await expect(backUp({ keepsChecksums, garble }, { verify: 'checksum' })).rejects.toMatchObject({
      code: 'VERIFY_FAILED',
      message: expect.stringContaining(key),
    })
  })

  test('and a sample leave the rest unverified', async () => {
    const sample = { part: 1, count: 1, parts: 2 }
    const { proved } = await backUp({ keepsChecksums }, { verify: 'source', sample })
    expect(proved).toMatchObject({ verified: 'none', sampled: { depth: 'source', parts: 2 } })
  })

  test('is not asked for more where nothing is to be verified', async () => {
    const { proved, read } = await backUp({ keepsChecksums }, { verify: 'none' })
    expect([proved, read]).toEqual([{ verified: 'none' }, []])
  })
})

test('a sample leaves the rest as verified as the checksums that the server confirmed', async () => {
  const { proved } = await backUp({}, { verify: 'source', sample: { part: 1, count: 1, parts: 2 } })
  expect(proved).toMatchObject({ verified: 'checksum', sampled: { depth: 'source' } })
})
