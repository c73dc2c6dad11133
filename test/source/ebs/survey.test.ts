import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFilesystems } from '../../../agent/source/filesystems'
import { ebsSource } from '../../../agent/source/ebs/snapshots.io'
import { surveyEbs, surveyNothing, surveyObstructed } from '../../../agent/source/ebs/survey'
import { HANG_UP } from '../../servers/ec2'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { notInstalled } from '../../support/fake-host'
import { planScene, startScene, type Scene, type SceneOptions } from './scene'
import { ebsState, mounted } from './state'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'snapstream-ebs-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function surveyOf(scene: Scene, { wasUsed = false } = {}) {
  const source = ebsSource({ runsDirectory: wasUsed ? directory : '/nonexistent', clock: scene.clock })
  const found = findFilesystems(scene.filesystems)
  const survey = await source.survey(scene.deps, scene.filesystems, found)
  return { survey, found: found[0]!, claim: survey.claim(found[0]!) }
}

test('where no filesystem is left for it, EC2 is not asked', async () => {
  await using scene = await startScene()
  const survey = await ebsSource().survey(scene.deps, scene.filesystems, [])
  expect(survey.claim(findFilesystems(scene.filesystems)[0]!)).toBeUndefined()
  expect(scene.asked()).toEqual([])
})

test('a host that is no instance, or whose test has none, has no disk of EBS', async () => {
  await using scene = await startScene()
  const found = findFilesystems(scene.filesystems)
  const { host, log, now, signal } = scene.deps
  const deps = { host, log, now, signal }
  for (const more of [{ connectEc2: () => Promise.resolve(undefined) }, {}]) {
    const survey = await ebsSource().survey({ ...deps, ...more }, scene.filesystems, found)
    expect([survey.claim(found[0]!), survey.absence(found[0]!)]).toEqual([undefined, 'not on EBS'])
  }
})

test.each(['DescribeInstances', 'DescribeVolumes', 'DescribeSnapshots', 'CreateSnapshots'])(
  'without the right to %s it claims nothing, and says which is missing and where to read on',
  async (action) => {
    await using scene = await startScene({ settings: { denied: [action] } })
    const { survey, found, claim } = await surveyOf(scene)
    expect(claim).toBeUndefined()
    expect(survey.absence(found)).toBe(`no snapshot of EBS: ec2:${action} is denied ("snapstream help ebs")`)
    expect(scene.deps.logged.join()).toContain('hosts: { ebs: true }')
  },
)

test.each(['CreateVolume', 'DeleteSnapshot'])(
  'of the snapshot that was kept, it tries whether it may %s',
  async (action) => {
    await using scene = await startScene({ dataDisks: 0 })
    const source = ebsSource({ runsDirectory: directory, uploadsDirectory: directory, clock: scene.clock })
    const plans = await planScene(scene, source)
    await (await source.take(scene.deps, plans))[Symbol.asyncDispose]()
    scene.service.configure({ denied: [action] })
    expect((await surveyOf(scene)).survey.absence(findFilesystems(scene.filesystems)[0]!)).toContain(
      `ec2:${action} is denied`,
    )
    scene.service.configure({ denied: [] })
    expect((await surveyOf(scene)).claim).toHaveProperty('volume')
  },
)

test('how many can be attached need not be told', async () => {
  await using scene = await startScene({ settings: { denied: ['DescribeInstanceTypes'] } })
  const { survey, claim } = await surveyOf(scene)
  expect(claim).toHaveProperty('volume')
  const volumes = [(claim as { volume: Parameters<typeof survey.spaces>[0][0] }).volume]
  expect(survey.spaces(volumes)[0]!.describe(snapshotRequestOf())).toBe(
    'snapshots of 1 disks of EBS; EC2 does not say how many can be attached',
  )
})

describe('a host that has been backed up through EBS before is told what is in the way', () => {
  test.each<[string, SceneOptions, RegExp]>([
    ['no right any more', { settings: { denied: ['CreateSnapshots'] } }, /ec2:CreateSnapshots is denied$/],
    ['a disk that does not answer', { answers: { blkid: { status: 8, stderr: 'timeout' } } }, /blkid cannot tell/],
    ['a program that is gone', { answers: { grep: notInstalled('grep') } }, /could not run grep/],
  ])('%s', async (_, options, why) => {
    await using scene = await startScene(options)
    expect((await surveyOf(scene)).claim).toBeUndefined()
    expect((await surveyOf(scene, { wasUsed: true })).claim).toEqual({
      unfit: expect.stringMatching(why) as string,
      remedy: expect.stringContaining(directory) as string,
    })
  })

  test('an EC2 that does not answer', async () => {
    await using scene = await startScene()
    scene.service.inject({ action: 'DescribeInstances', code: HANG_UP, times: 100 })
    expect((await surveyOf(scene, { wasUsed: true })).claim).toHaveProperty('unfit')
  })

  test('but not of what is no disk', () => {
    const filesystems = { ...mounted('9:0'), devices: [{ deviceNumber: '9:0', type: 'raid1', below: ['disk'] }] }
    const survey = surveyObstructed('no answer', filesystems, directory)
    expect(survey.claim(findFilesystems(filesystems)[0]!)).toBeUndefined()
  })
})

test('is interrupted where the run is', async () => {
  await using scene = await startScene()
  const signal = AbortSignal.abort(new Error('stopped'))
  const found = findFilesystems(scene.filesystems)
  await expect(ebsSource().survey({ ...scene.deps, signal }, scene.filesystems, found)).rejects.toThrow('stopped')
})

test('says what its volumes are, and which places there are for them', () => {
  const filesystems = mounted('259:10')
  const survey = surveyEbs(ebsState(), filesystems)
  expect(survey.volumes).toBe('a mounted ext2, ext3, ext4, xfs or vfat filesystem on a disk of EBS')
  expect(survey.absence(findFilesystems(filesystems)[0]!)).toBe('on a disk of EBS')
  expect(survey.spaces([])).toEqual([])
  const nothing = surveyNothing('no')
  expect([nothing.plan([], snapshotRequestOf()), nothing.spaces([])]).toEqual([[], []])
})
