import { randomBytes } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { LifecycleRule } from '@aws-sdk/client-s3'
import { SUPERSEDED_TAG } from '../../agent/contract'
import type { StorageRule, Vault } from '../../fleet/vault'

/** A vault, and what its owner may do to the bucket. */
export interface OwnedVault {
  readonly vault: Vault
  putRules(rules: readonly LifecycleRule[]): Promise<void>
  /** Lays a delete marker on the object. */
  deleteObject(key: string): Promise<void>
  /** Whether the object bears the tag of superseded ones. */
  isSuperseded(key: string): Promise<boolean>
}

/** More than goes in one part of an upload. */
const MULTIPART_BYTES = 12 * 2 ** 20
const STATE = 'fleet/state.jsonl.zst'
const BYTES_MAX = 2 * MULTIPART_BYTES

const RULES: readonly LifecycleRule[] = [
  {
    ID: 'moves',
    Status: 'Enabled',
    Filter: { Prefix: 'data/weekly/' },
    Transitions: [{ Days: 30, StorageClass: 'GLACIER' }],
  },
  {
    ID: 'expiry',
    Status: 'Enabled',
    Filter: { And: { Prefix: 'data/weekly/', Tags: [{ Key: SUPERSEDED_TAG.key, Value: SUPERSEDED_TAG.value }] } },
    Expiration: { Days: 183 },
  },
  {
    ID: 'leftovers',
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 },
    NoncurrentVersionExpiration: { NoncurrentDays: 7 },
  },
]

/** Where a server is known not to do as S3 does. */
export interface VaultDeviations {
  /** Moves objects to no other class, and says so. */
  readonly refusesTransitions?: boolean
  /** Takes an object for younger once it has been tagged. */
  readonly redatesTagged?: boolean
}

/**
 * What work on a fleet relies on a vault for, beside its store.
 *
 * @param makeVault - makes one with an empty, versioned bucket; is called once
 */
export function vaultContract(
  name: string,
  makeVault: () => Promise<OwnedVault>,
  { refusesTransitions = false, redatesTagged = false }: VaultDeviations = {},
): void {
  describe(`vault contract: ${name}`, () => {
    let owned: OwnedVault
    let vault: Vault
    const signal = new AbortController().signal
    beforeAll(async () => {
      owned = await makeVault()
      vault = owned.vault
    })
    const read = async (key: string) => (await vault.store.get(key, BYTES_MAX, signal)).body

    test('what is written replaces what was there', async () => {
      await vault.write('reports/index.html', Buffer.from('<p>first'), 'text/html', signal)
      await vault.write('reports/index.html', Buffer.from('<p>second'), 'text/html', signal)
      expect((await read('reports/index.html')).toString()).toBe('<p>second')
    })

    test('a body may be made while it is sent, of any size, none included', async () => {
      const bytes = randomBytes(MULTIPART_BYTES)
      async function* pieces() {
        for (let at = 0; at < bytes.length; at += 999_983) yield bytes.subarray(at, at + 999_983)
      }
      await vault.write(STATE, pieces(), 'application/zstd', signal)
      expect((await read(STATE)).equals(bytes)).toBe(true)
      await vault.write(STATE, (async function* () {})(), 'application/zstd', signal)
      expect(await read(STATE)).toHaveLength(0)
    })

    test('a body that fails on its way replaces nothing, and leaves no upload behind', async () => {
      await vault.write(STATE, Buffer.from('good'), 'application/zstd', signal)
      async function* failing() {
        yield randomBytes(MULTIPART_BYTES)
        throw new Error('out of ideas')
      }
      await expect(vault.write(STATE, failing(), 'application/zstd', signal)).rejects.toThrow(/out of ideas/)
      expect((await read(STATE)).toString()).toBe('good')
      const uploads: unknown[] = []
      for await (const upload of vault.store.listUploads('', signal)) uploads.push(upload)
      expect(uploads).toEqual([])
    })

    test('an interrupted command writes nothing', async () => {
      const stopped = AbortSignal.abort()
      await expect(vault.write('reports/late', Buffer.from('x'), 'text/plain', stopped)).rejects.toMatchObject({
        code: 'INTERRUPTED',
      })
    })

    test.each(['manifests/daily/db-1/run.json', 'data/x', 'fleet', 'reportsx/y'])(
      'backups are safe: %s',
      async (key) => {
        await expect(vault.write(key, Buffer.from('x'), 'text/plain', signal)).rejects.toMatchObject({
          code: 'INTERNAL',
        })
        await expect(vault.store.head(key, signal)).rejects.toMatchObject({ code: 'OBJECT_MISSING' })
      },
    )

    test('an object is tagged, once or twice, and stays what it was', async () => {
      const key = 'data/daily/arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc/run/vg0-röot.tar.zst'
      await vault.store.put(key, 'archive', signal)
      const before = await vault.store.head(key, signal)
      // S3's times have whole seconds.
      await wait(1100)
      expect(await owned.isSuperseded(key)).toBe(false)
      await vault.tagSuperseded(key, signal)
      await vault.tagSuperseded(key, signal)
      expect(await owned.isSuperseded(key)).toBe(true)
      expect(await vault.isSuperseded(key, signal)).toBe(true)
      const lastModified = redatesTagged ? (expect.any(Date) as Date) : before.lastModified
      expect(await vault.store.head(key, signal)).toEqual({ ...before, lastModified })
      expect((await read(key)).toString()).toBe('archive')
    })

    test('the tag can be taken away again, once or twice', async () => {
      const key = 'data/daily/db-1/run/reprieved.tar.zst'
      await vault.store.put(key, 'archive', signal)
      await vault.untagSuperseded(key, signal)
      await vault.tagSuperseded(key, signal)
      await vault.untagSuperseded(key, signal)
      await vault.untagSuperseded(key, signal)
      expect(await owned.isSuperseded(key)).toBe(false)
      expect(await vault.isSuperseded(key, signal)).toBe(false)
      expect((await read(key)).toString()).toBe('archive')
    })

    test('what is gone, or never was, needs no tag', async () => {
      await vault.store.put('data/deleted', 'x', signal)
      await owned.deleteObject('data/deleted')
      await vault.tagSuperseded('data/deleted', signal)
      await vault.tagSuperseded('data/never', signal)
      await vault.untagSuperseded('data/never', signal)
      expect(await vault.isSuperseded('data/deleted', signal)).toBe(false)
      expect(await vault.isSuperseded('data/never', signal)).toBe(false)
    })

    test('rules are read as what they mean for objects', async () => {
      expect(await vault.readRules(signal)).toEqual([])
      await owned.putRules(RULES.filter(({ Transitions }) => !Transitions || !refusesTransitions))
      const transitions = [{ afterDays: 30, storageClass: 'GLACIER' }]
      const moves = { prefix: 'data/weekly/', needsTag: false, transitions }
      const expiry = { prefix: 'data/weekly/', needsTag: true, transitions: [], expireAfterDays: 183 }
      const expected = refusesTransitions ? [expiry] : [expiry, moves]
      const byTag = (rules: readonly StorageRule[]) =>
        [...rules].sort((a, b) => Number(b.needsTag) - Number(a.needsTag))
      expect(byTag(await vault.readRules(signal))).toEqual(expected)
    })
  })
}
