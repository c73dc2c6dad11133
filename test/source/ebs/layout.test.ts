import { AgentError } from '../../../agent/errors'
import type { HostDeps } from '../../../agent/context'
import type { Ec2 } from '../../../agent/ec2'
import { readLayout } from '../../../agent/source/ebs/layout.io'
import { localDeps } from '../../support/host-deps'
import { startScene } from './scene'

test('the volumes of an instance are kept with where they are attached, and what they are', async () => {
  await using scene = await startScene({ dataDisks: 1 })
  const [root, data] = scene.instance.volumeIds
  const { layouts, devices } = await readLayout({ ...localDeps(), connectEc2: () => Promise.resolve(scene.ec2) }, [])
  expect(layouts.ebs?.volumes).toEqual([
    { volumeId: root, deviceName: '/dev/xvda', sizeGiB: 1, type: 'gp3', encrypted: false },
    { volumeId: data, deviceName: '/dev/sdf', sizeGiB: 1, type: 'gp3', encrypted: false },
  ])
  expect(devices).toEqual([])
})

describe('a backup goes on without them', () => {
  const refusing: HostDeps['connectEc2'] = () =>
    Promise.reject(new AgentError('EC2_FAILED', 'DescribeInstances was denied', { hint: 'Allow it.' }))
  const odd = {
    describeInstance: () =>
      Promise.resolve({ volumes: [{ volumeId: 'vol-0abc1234', deviceName: '--x' }], networkInterfaces: 0 }),
    describeVolumes: () =>
      Promise.resolve([{ volumeId: 'vol-0abc1234', makeup: { sizeGiB: 1, type: 'gp3', encrypted: false } }]),
  } as unknown as Ec2

  test.each<[string, HostDeps['connectEc2'], RegExp]>([
    ['where EC2 refuses', refusing, /DescribeInstances was denied/],
    ['where what it says is none', () => Promise.resolve(odd), /does not say/],
  ])('%s', async (_, connectEc2, warning) => {
    const deps = localDeps()
    expect((await readLayout({ ...deps, ...(connectEc2 && { connectEc2 }) }, [])).layouts).toEqual({})
    expect(deps.logged.join('\n')).toMatch(warning)
  })

  test('where this is no instance', async () => {
    expect((await readLayout({ ...localDeps(), connectEc2: () => Promise.resolve(undefined) }, [])).layouts).toEqual({})
  })
})
