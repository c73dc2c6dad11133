import { setTimeout as sleep } from 'node:timers/promises'
import type { Argv, HostDeps } from '../../agent/context'
import type { AgentError, ErrorCode } from '../../agent/errors'
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
  /** Keeps a snapshot from being taken, by something that is not ours. @returns how to remove it */
  readonly obstruct?: (plan: SnapshotPlan) => Promise<() => Promise<void>>
  /** Removes a snapshot behind the agent's back, though it is mounted. */
  readonly destroy?: (plan: SnapshotPlan) => Promise<void>
  /**
   * Runs a command on the host that prints a tar stream.
   *
   * @param names - at its standard input, as `printf` takes them
   * @returns what the file `moment` holds in that
   */
  readonly readMoment: (tar: Argv, names?: string) => Promise<string>
  /** Whatever is left on the host that bears our marks; empty where nothing is. */
  readonly left: () => Promise<string>
}

const UPLOAD = { key: 'data/daily/arn:aws:ec2:x:1:instance/i-0abc/run/vg0-srv.tar.zst', uploadId: 'aBc.d_E-1~' }
const FAULT_SECONDS_MAX = 60

/** How sources differ in what they can promise. */
export interface SourceTraits {
  /** Of which moment the files are: that of all snapshots, or that at which each volume is read. */
  readonly moment: 'taken' | 'mounted'
  /** Whether its snapshots are something of their own, which another may take the place of, or destroy. */
  readonly apart: boolean
  /** What becomes of an obstructed snapshot: `COMMAND_FAILED` unless told. */
  readonly refusal?: ErrorCode
  /** Whether a rebuild needs to know more of its volumes than the devices that they lie on. */
  readonly hasLayout: boolean
}

/** What every source of snapshots has to do. @param fixture - asked for when the first test begins */
export function testSourceContract(source: SnapshotSource, traits: SourceTraits, fixture: () => SourceFixture): void {
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

  test('shows every volume as it was at its moment, any number of times', async () => {
    const { deps, write, readMoment } = fixture()
    const wanted = { taken: 'then\n', mounted: 'later\n' }[traits.moment]
    await write('then') // not synced: whoever takes a snapshot has to see to that
    await using _snapshots = await source.take(deps, plans)
    await write('later')
    for (const wave of source.waves?.(plans) ?? [plans]) {
      await using mounts = new AsyncDisposableStack()
      const mounted = []
      for (const plan of wave) mounted.push(mounts.use(await source.mount(deps, plan)))
      await write('much later')
      for (const { source: record, tar } of [...mounted, ...mounted]) {
        expect(record.kind).toBe(source.kind)
        expect(await readMoment(tar)).toBe(wanted)
      }
      for (const plan of wave) await source.check(deps, plan)
      await write('later')
    }
  })

  test('reads chosen files again, where it can', async () => {
    const { deps, write, readMoment } = fixture()
    await write('then')
    await using _snapshots = await source.take(deps, plans)
    await using mounted = await source.mount(deps, plans[0]!)
    if (mounted.tarListed) {
      expect(await readMoment(mounted.tarListed, './moment\\0')).toBe('then\n')
    }
    await source.check(deps, plans[0]!)
  })

  test('gives each snapshot back by itself, once', async () => {
    const { deps, write, readMoment } = fixture()
    const [first, ...others] = plans
    await write('then')
    await using snapshots = await source.take(deps, plans)
    await snapshots.release(first!)
    await snapshots.release(first!)
    await using mounted = await source.mount(deps, others[0]!)
    expect(await readMoment(mounted.tar)).toBe('then\n')
    await source.check(deps, others[0]!)
  })

  if (traits.apart) testApart()

  function testApart() {
    test('leaves none of its snapshots, and whatever is not its own, where one cannot be taken', async () => {
      const { deps, obstruct } = fixture()
      const remove = await obstruct!(plans.at(-1)!)
      try {
        expect(await refusalOf(source.take(deps, plans))).toMatchObject({
          code: traits.refusal ?? 'COMMAND_FAILED',
        })
        expect(await source.findLeftovers(deps)).toEqual([])
      } finally {
        await remove()
      }
    })

    test('finds out that a snapshot is no longer what it was, and says so once', async () => {
      const { deps, destroy } = fixture()
      const [first, second] = [plans[0], plans.at(-1)] // which need not share a disk
      const faults: [SnapshotPlan, AgentError][] = []
      await using _snapshots = await source.take(deps, [first!, second!])
      await using _mount = await source.mount(deps, first!)
      await using _other = await source.mount(deps, second!)
      {
        await using _watch = source.watch(deps, [first!, second!], (...fault) => faults.push(fault))
        await destroy!(first!)
        for (let second = 0; faults.length === 0 && second < FAULT_SECONDS_MAX; second++) await sleep(1000)
      }
      expect(faults).toEqual([[first, expect.objectContaining({ code: 'SNAPSHOT_INVALID' })]])
      expect(await refusalOf(source.check(deps, first!))).toMatchObject({ code: 'SNAPSHOT_INVALID' })
      await source.check(deps, second!)
    })
  }

  test('shows nothing once the run is interrupted', async () => {
    const interrupted = { ...fixture().deps, signal: AbortSignal.abort(new Error('interrupted')) }
    const attempt = async () => {
      await using _snapshots = await source.take(interrupted, plans)
      await using _mount = await source.mount(interrupted, plans[0]!)
    }
    await expect(attempt()).rejects.toThrow('interrupted')
    expect(await source.findLeftovers(fixture().deps)).toEqual([])
  })

  test('remembers unfinished uploads with the snapshot that they are of, for whoever cleans up', async () => {
    const { deps, left } = fixture()
    await source.take(deps, plans) // as a run that is killed: nobody gives them back
    await source.recordUpload(deps, plans[0]!, UPLOAD)
    const found = await source.findLeftovers(deps)
    expect(found.length).toBeGreaterThan(0)
    expect(found.flatMap(({ uploads }) => uploads)).toEqual([UPLOAD])
    for (const { name } of found) expect(await left()).toContain(name.split('/').at(-1)!)
    for (const leftover of found) await source.removeLeftover(deps, leftover)
    expect(await source.findLeftovers(deps)).toEqual([])
  })

  test('tells of the devices that its volumes lie on, for a rebuild', async () => {
    const volumes = plans.map(({ origin }) => origin)
    const { layouts, devices } = await source.readLayout(fixture().deps, volumes)
    expect(Object.keys(layouts)).toEqual(traits.hasLayout ? [source.kind] : [])
    expect(devices).toEqual(expect.arrayContaining(volumes.map(({ device }) => device)))
  })
}
