import { testServers } from '../servers/index'
import { installAgent, type Installation } from './agent'
import { bootGuest, type Guest } from './guest'
import { DISKS_MIB, makeVolumes, MOUNT_POINTS, PLAIN } from './volumes'

jest.setTimeout(120_000)

let guest: Guest
let agent: Installation

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB })
  agent = await installAgent(guest, testServers().seaweedfs)
})
afterAll(() => guest.stop())

interface CheckLine {
  readonly name: string
  readonly status: string
  readonly what: string
  readonly fix?: string
}

/** What preflight says of one thing. */
async function check(name: string): Promise<CheckLine | undefined> {
  const { json } = await agent.run('preflight')
  return (json.checks as CheckLine[]).find((found) => found.name === name)
}

describe('a host without any logical volume', () => {
  test('preflight says so, and that the bucket is fine', async () => {
    const { status, json } = await agent.run('preflight')
    expect(status).toBe(1)
    expect(json.checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'volumes', status: 'fail', fix: expect.any(String) }),
        expect.objectContaining({ name: 'writing', status: 'ok' }),
      ]),
    )
  })

  test('there is nothing to back up', async () => {
    expect(await agent.run('backup')).toMatchObject({ status: 1, json: { error: { code: 'NO_VOLUME' } } })
  })
})

describe('a host with every kind of volume', () => {
  beforeAll(() => makeVolumes(guest))

  test('is ready, its preflight leaves nothing, and what is not on LVM is read in place', async () => {
    const { status, summary, json } = await agent.run('preflight')
    const failed = (json.checks as CheckLine[]).filter((found) => found.status === 'fail')
    expect({ status, failed }).toEqual({ status: 0, failed: [] })
    expect(summary).toMatch(/^Preflight: READY/)
    for (const mountPoint of [...MOUNT_POINTS, PLAIN]) expect(summary).toContain(`${mountPoint} (`)
    expect(summary).toMatch(/OK +other filesystems/)
    expect(json.checks).toContainEqual(expect.objectContaining({ name: 'checksums', status: 'ok' }))
    expect(await agent.keys()).toEqual([])
    expect(await agent.leftovers()).toEqual([])
  })

  test('may try a whole upload, which the server confirms and does not overwrite', async () => {
    const { status, json } = await agent.run('preflight', '--probe-upload')
    expect(status).toBe(0)
    expect(json.checks).toContainEqual(expect.objectContaining({ name: 'completing', status: 'ok' }))
    expect(await agent.keys()).toEqual([expect.stringMatching(/^data\/daily\/guest\/[^/]+\/preflight\./)])
    expect(await agent.leftovers()).toEqual([])
  })

  test('is warned of a server that keeps no checksums, before every backup is read back', async () => {
    const elsewhere = await installAgent(guest, testServers().radosgw)
    const { status, json } = await elsewhere.run('preflight', '--probe-upload')
    expect(status).toBe(0)
    expect(json.checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'checksums', status: 'warn' }),
        expect.objectContaining({ name: 'completing', status: 'warn' }),
      ]),
    )
    expect(await elsewhere.leftovers()).toEqual([])
  })

  test('is not ready once a volume group is full, and is told the ways out', async () => {
    await guest.run(['lvcreate', '--yes', '--extents', '100%FREE', '--name', 'filler', 'vg0'])
    const space = await check('space')
    await guest.run(['lvremove', '--yes', 'vg0/filler'])
    expect(space).toMatchObject({
      status: 'fail',
      what: expect.stringContaining('vg0'),
      fix: expect.stringContaining('vgextend'),
    })
  })

  test('is told what to install where LVM is missing, and is not touched', async () => {
    await guest.run(['mv', '/usr/sbin/lvs', '/usr/sbin/lvs.away'])
    const tools = await check('tools')
    const backup = await agent.run('backup')
    await guest.run(['mv', '/usr/sbin/lvs.away', '/usr/sbin/lvs'])
    expect(tools).toMatchObject({
      status: 'fail',
      what: expect.stringMatching(/: lvs$/),
      fix: expect.stringContaining('lvm2'),
    })
    expect(backup).toMatchObject({ status: 1, json: { error: { code: 'TOOL_MISSING' } } })
  })

  test('is not backed up with a tar that would lose something', async () => {
    await guest.run([
      'sh',
      '-euc',
      'printf "#!/bin/sh\\necho \\"tar (GNU tar) 1.28\\"\\n" >/usr/local/bin/tar; chmod 755 /usr/local/bin/tar',
    ])
    const tar = await check('tar')
    const backup = await agent.run('backup')
    await guest.run(['rm', '/usr/local/bin/tar'])
    expect(tar).toMatchObject({ status: 'fail', what: 'tar 1.28 is older than 1.29' })
    expect(backup).toMatchObject({ status: 1, json: { error: { code: 'TOOL_TOO_OLD' } } })
    expect(await agent.leftovers()).toEqual([])
  })

  test('has nothing to clean up', async () => {
    expect(await agent.run('cleanup')).toMatchObject({ status: 0, summary: 'Nothing was left behind.' })
  })
})
