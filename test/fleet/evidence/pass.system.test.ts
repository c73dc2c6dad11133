/** The pass on real servers, by requests that the SDK has not made. */
import { randomBytes } from 'node:crypto'
import { connectToS3 } from '../../../agent/bucket/client.io'
import { catalogKey, dataKey, manifestKey, verificationKey } from '../../../agent/contract'
import { neverAborted } from '../../../agent/lib/never-aborted'
import { formatManifest } from '../../../agent/run/manifest'
import { formatRun } from '../../../agent/run/run-id'
import { readEvidence } from '../../../fleet/evidence/pass.io'
import { fleetConfigSchema } from '../../../fleet/model/config'
import { s3Vault } from '../../../fleet/vault.io'
import { createBucket, testServers, type Server } from '../../servers/index'
import { silentLog } from '../../support/log'
import { manifestOf, volumeBackupOf } from '../../support/manifest'

jest.setTimeout(120_000)

const HOST = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
const config = fleetConfigSchema.parse({ classes: [], schedules: [] })
const signal = neverAborted()

/** A vault, and what was read of it without the SDK. */
async function open(server: Server) {
  const { region, endpoint: endpointUrl } = server
  const bucket = await createBucket(server)
  const s3 = connectToS3({ bucket, region, endpointUrl, credentials: async () => server, log: silentLog })
  const { ranges } = s3
  const quick: string[] = []
  const request: typeof ranges.request = async (asked, ...rest) => {
    const answer = await ranges.request(asked, ...rest)
    // The SDK says in the query what it asks for.
    if (answer && Object.keys(asked.query).length === 0) quick.push(decodeURIComponent(asked.path))
    return answer
  }
  const vault = s3Vault({ ...s3, ranges: { request } })
  return { vault, bucket, quick, deps: { vault, log: silentLog, signal, now: () => new Date() } }
}

test.each(['seaweedfs', 'radosgw'] as const)('on %s, runs are read, heard and seen to be there', async (name) => {
  const { vault, bucket, quick, deps } = await open(testServers()[name])
  const runs = [2, 1, 0].map((hours) => formatRun(new Date(Date.now() - hours * 3_600_000), randomBytes(6)))
  for (const run of runs) {
    const runKey = { class: 'daily', host: HOST, run }
    await vault.store.put(dataKey(runKey, 'vg0-home', 'zstd', 0), Buffer.alloc(1000), signal)
    await vault.store.put(catalogKey(runKey, 'vg0-home'), Buffer.alloc(300), signal)
    const volumes = [volumeBackupOf({}, runKey)]
    await vault.store.put(manifestKey(runKey), formatManifest(manifestOf({ ...runKey, volumes })), signal)
  }
  const [oldest = '', middle = '', newest = ''] = runs
  const verdict = verificationKey('verdicts', { class: 'daily', host: HOST, run: oldest }, '20260101T000000Z')
  await vault.store.put(verdict, JSON.stringify({ depth: 'stream', ok: false }), signal)

  const histories = await readEvidence(deps, undefined, { config, now: 1_800_000_000 })
  const [daily] = histories.get(HOST)?.classes ?? []
  const states = daily?.runs.map(({ run, state, presentAt, verdict: said }) => [run, state, presentAt, said?.ok])
  expect(states?.sort()).toEqual(
    [
      [newest, 'complete', 1_800_000_000, undefined],
      [middle, 'complete', 1_800_000_000, undefined],
      [oldest, 'complete', 1_800_000_000, false],
    ].sort(),
  )
  const keys = runs.map((run) => manifestKey({ class: 'daily', host: HOST, run }))
  expect(quick.sort()).toEqual([...keys, verdict].map((key) => `/${bucket}/${key}`).sort())
})

test.each(['seaweedfs', 'radosgw'] as const)(
  'on %s, a long listing in many pieces has all of it, once',
  async (name) => {
    const { vault, deps } = await open(testServers()[name])
    const run = formatRun(new Date(), randomBytes(6))
    const hosts = Array.from({ length: 1100 }, (_, index) => `host-${String(index).padStart(4, '0')}`)
    await Promise.all(hosts.map((host) => vault.store.put(manifestKey({ class: 'daily', host, run }), '{}', signal)))
    const histories = await readEvidence(deps, undefined, { config, now: 1_800_000_000 })
    expect([...histories.keys()].sort()).toEqual(hosts)
    expect([...histories.values()].every(({ classes }) => classes[0]?.runs.length === 1)).toBe(true)
  },
)
