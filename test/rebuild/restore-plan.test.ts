/** A plan to rebuild a host is to be read before anything is run: it looks at the bucket and the new disks only. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { manifestKey } from '../../agent/contract'
import type { RebuildPlan } from '../../agent/rebuild/rebuild'
import { formatManifest, type Manifest } from '../../agent/run/manifest'
import { storeWith } from '../support/archives'
import { restorePlan } from '../support/commands'
import { fakeHost } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { requestOf } from '../support/request'
import { refusalOf } from '../support/refusal'
import { manifest, withSystem } from './fixture'

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'restore-plan-'))
})
afterEach(() => rmSync(scratch, { recursive: true }))

/** The bucket has the archive of /srv, in Glacier, and has lost that of /. */
const plan = (...options: string[]) => planOf(manifest, ...options)

async function planOf(manifest: Manifest, ...options: string[]) {
  const key = manifest.volumes[0]!.archive.segments[0]!.key
  const store = storeWith(new Map([[manifestKey(manifest), Buffer.from(formatManifest(manifest))]]))
  store.objects.set(key, { body: Buffer.alloc(1000), storageClass: 'GLACIER', archived: true, lastModified: new Date(manifest.finishedAt) }) // prettier-ignore
  const host = fakeHost({ lsblk: '1048576\n' })
  const run = ['--class', manifest.class, '--run', manifest.run]
  const request = requestOf('restore-plan', manifest.host, ...run, ...options)
  const { status, summary, json } = await restorePlan({ ...localDeps(), host, store }, request)
  return {
    ran: host.ran,
    status,
    summary,
    json: json as Pick<RebuildPlan, 'steps' | 'notes'> & { launchTemplate?: object },
  }
}

test('nothing is run but what tells the sizes of the disks, and too small ones are noted', async () => {
  const { ran, status, summary, json } = await plan('--disk', '/dev/ubdb=/dev/nvme1n1')
  expect(status).toBe(0)
  expect(ran.every((line) => line.startsWith('lsblk --nodeps '))).toBe(true)
  expect(ran.join('\n')).toContain('/dev/nvme1n1')
  expect(json.notes.join('\n')).toMatch(/^TOO SMALL: \/dev\/nvme1n1 and /m)
  expect(summary).toContain(`${json.steps.length} commands, none of which has been run`)
  expect(summary).toContain('--script FILE writes them')
})

test('says before the disks are touched what would keep the restore from beginning', async () => {
  const { json } = await plan()
  expect(json.notes).toEqual(
    expect.arrayContaining([
      '1 object of /srv is in Glacier: run the last command first, with --thaw bulk, and wait.',
      '1 object of / is missing: the restore needs --best-effort, or another run.',
    ]),
  )
})

test('a script for its owner alone has all the commands', async () => {
  const script = join(scratch, 'rebuild.sh')
  const { summary, json } = await plan('--script', script)
  expect(summary).toContain(`written to ${script}`)
  expect(statSync(script).mode & 0o777).toBe(0o700)
  const text = readFileSync(script, 'utf8')
  for (const { argv } of json.steps) expect(text).toContain(argv[0])
})

describe('a launch template', () => {
  const instance = {
    ...{ instanceType: 'm7i.large', imageId: 'ami-0abc1234def567890', availabilityZone: 'eu-west-1a' },
    securityGroupIds: ['sg-0abc1234'],
  }

  test('of an instance like the lost one is told, and written where it is asked for', async () => {
    const file = join(scratch, 'template.json')
    const { summary, json } = await planOf(withSystem({ instance }), '--launch-template', file)
    expect(json.launchTemplate).toMatchObject({ ImageId: 'ami-0abc1234def567890', SecurityGroupIds: ['sg-0abc1234'] })
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(json.launchTemplate)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(summary).toContain(`launch template written to ${file}`)
  })

  test('of a host that was none is not made up, and nothing is written', async () => {
    const [file, script] = [join(scratch, 'template.json'), join(scratch, 'rebuild.sh')]
    expect(await refusalOf(plan('--launch-template', file, '--script', script))).toMatchObject({ code: 'USAGE' })
    expect([existsSync(file), existsSync(script)]).toEqual([false, false])
    expect((await plan()).json).not.toHaveProperty('launchTemplate')
  })
})
