import { setTimeout as sleep } from 'node:timers/promises'
import type { HostDeps } from '../../agent/context'
import type { AgentError } from '../../agent/errors'
import { readFilesystems } from '../../agent/host/filesystems.io'
import { findFilesystems } from '../../agent/source/filesystems'
import type { SnapshotPlan, SnapshotSource, Survey } from '../../agent/source/source'
import { refusalOf } from '../support/refusal'
import { snapshotRequestOf } from '../support/snapshot-request'

/** A host on which the source can be tried: a real one, or what stands for it. */
export interface SourceFixture {
  readonly deps: HostDeps
  /** Of all volumes of the source's, and of a filesystem that is none of its own. */
  readonly mountPoints: readonly string[]
  readonly foreign: string
  /** Writes a text to a file `moment` of each volume. */
  readonly write: (text: string) => Promise<void>
  /** @returns what the command prints on the host */
  readonly run: (argv: readonly [string, ...string[]]) => Promise<string>
  /** Takes the name that the snapshot will have; makes something that is not ours. @returns how to remove it */
  readonly obstruct: (plan: SnapshotPlan) => Promise<() => Promise<void>>
  /** Removes a snapshot behind the agent's back, though it is mounted. */
  readonly destroy: (plan: SnapshotPlan) => Promise<void>
  /** Whatever is left on the host that bears our marks; empty where nothing is. */
  readonly left: () => Promise<string>
}

const UPLOAD = { key: 'data/daily/arn:aws:ec2:x:1:instance/i-0abc/run/vg0-srv.tar.zst', uploadId: 'aBc.d_E-1~' }
const FAULT_SECONDS_MAX = 60

/** What every source of snapshots has to do. @param fixture - asked for when the first test begins */
export function testSourceContract(source: SnapshotSource, fixture: () => SourceFixture): void {
  let survey: Survey
  let plans: readonly SnapshotPlan[]

  beforeEach(async () => {
    const { deps } = fixture()
    const filesystems = await readFilesystems(deps)
    survey = await source.survey(deps, filesystems, findFilesystems(filesystems))
    plans = survey.plan(volumesOf(filesystems), snapshotRequestOf())
  })
  afterEach(async () => expect(await fixture().left()).toBe(''))

  function volumesOf(filesystems: Parameters<typeof findFilesystems>[0]) {
    const claims = findFilesystems(filesystems).map((found) => survey.claim(found))
    return claims.flatMap((claim) => (claim && 'volume' in claim ? [claim.volume] : []))
  }

  test('claims its own filesystems, each by a name of its own, and no others', async () => {
    const { mountPoints, foreign, deps } = fixture()
    expect(plans.map(({ origin }) => origin.mountPoint).sort()).toEqual([...mountPoints].sort())
    expect(new Set(plans.map(({ origin }) => origin.volume)).size).toBe(mountPoints.length)
    expect([...new Set(plans.flatMap((plan) => [plan.origin.kind, plan.source.kind]))]).toEqual([source.kind])
    const found = findFilesystems(await readFilesystems(deps)).find(({ targets }) => targets.includes(foreign))
    expect(survey.claim(found!)).toBeUndefined()
    expect(survey.absence(found!)).not.toBe('')
  })

  test('plans the same each time, in words that can be printed', () => {
    const request = snapshotRequestOf()
    const again = survey.plan(
      plans.map(({ origin }) => origin),
      request,
    )
    expect(again).toEqual(plans)
    expect(JSON.parse(JSON.stringify(again))).toEqual(again)
    for (const space of survey.spaces(plans.map(({ origin }) => origin))) expect(space.describe(request)).not.toBe('')
  })

  test('shows every volume as it was at one moment, and cannot be written to', async () => {
    const { deps, write, run } = fixture()
    await write('then') // not synced: whoever takes a snapshot has to see to that
    await using _snapshots = await source.take(deps, plans)
    await write('later')
    for (const plan of plans) {
      await using _mount = await source.mount(deps, plan)
      expect(await run(['cat', `${plan.mountPoint}/moment`])).toBe('then\n')
      await expect(run(['touch', `${plan.mountPoint}/x`])).rejects.toThrow(/Read-only file system/)
      await source.check(deps, plan)
    }
  })

  test('gives each snapshot back by itself, once', async () => {
    const { deps, run } = fixture()
    const [first, ...others] = plans
    await using snapshots = await source.take(deps, plans)
    await snapshots.release(first!)
    await snapshots.release(first!)
    await using _mount = await source.mount(deps, others[0]!)
    expect(await run(['ls', others[0]!.mountPoint])).toContain('moment')
    await source.check(deps, others[0]!)
  })

  test('leaves none of its snapshots, and whatever is not its own, where one cannot be taken', async () => {
    const { deps, obstruct } = fixture()
    const remove = await obstruct(plans.at(-1)!)
    try {
      expect(await refusalOf(source.take(deps, plans))).toMatchObject({ code: 'COMMAND_FAILED' })
      expect(await source.findLeftovers(deps)).toEqual([])
    } finally {
      await remove()
    }
  })

  test('takes none once the run is interrupted', async () => {
    const { deps } = fixture()
    const interrupted = AbortSignal.abort(new Error('interrupted'))
    await expect(source.take({ ...deps, signal: interrupted }, plans)).rejects.toThrow('interrupted')
    expect(await source.findLeftovers(deps)).toEqual([])
  })

  test('finds out that a snapshot is no longer what it was, and says so once', async () => {
    const { deps, destroy } = fixture()
    const [first, second] = plans
    const faults: [SnapshotPlan, AgentError][] = []
    await using _snapshots = await source.take(deps, [first!, second!])
    await using _mount = await source.mount(deps, first!)
    await using _other = await source.mount(deps, second!)
    {
      await using _watch = source.watch(deps, [first!, second!], (...fault) => faults.push(fault))
      await destroy(first!)
      for (let second = 0; faults.length === 0 && second < FAULT_SECONDS_MAX; second++) await sleep(1000)
    }
    expect(faults).toEqual([[first, expect.objectContaining({ code: 'SNAPSHOT_INVALID' })]])
    expect(await refusalOf(source.check(deps, first!))).toMatchObject({ code: 'SNAPSHOT_INVALID' })
    await source.check(deps, second!)
  })

  test('remembers unfinished uploads with the snapshot that they are of, for whoever cleans up', async () => {
    const { deps, left } = fixture()
    await source.take(deps, plans) // as a run that is killed: nobody gives them back
    await source.recordUpload(deps, plans[0]!, UPLOAD)
    const found = await source.findLeftovers(deps)
    expect(found).toHaveLength(plans.length)
    expect(found.flatMap(({ uploads }) => uploads)).toEqual([UPLOAD])
    for (const { name } of found) expect(await left()).toContain(name.split('/').at(-1)!)
    for (const leftover of found) await source.removeLeftover(deps, leftover)
  })

  test('tells of the devices that its volumes lie on, for a rebuild', async () => {
    const volumes = plans.map(({ origin }) => origin)
    const { layouts, devices } = await source.readLayout(fixture().deps, volumes)
    expect(Object.keys(layouts)).toEqual([source.kind])
    expect(devices).toEqual(expect.arrayContaining(volumes.map(({ device }) => device)))
  })
}
