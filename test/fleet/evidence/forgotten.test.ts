import { forgetHost, readForgotten, withForgotten } from '../../../fleet/evidence/forgotten.io'
import { fleetBucket } from '../../support/fleet-bucket'

const ARN = 'arn:aws:ec2:eu-west-1:111122223333:instance/i-0123456789abcdef0'
const memory = { state: 'gone', stateSince: 1, expectedSince: {} } as const

test('what an operator has decided is known from then on, dated by S3', async () => {
  const { deps, store, put } = fleetBucket()
  await forgetHost(deps, ARN)
  await forgetHost(deps, ARN)
  put('fleet/forgotten/../x', '')
  const forgotten = await readForgotten(deps)
  const at = Math.floor(store.objects.get(`fleet/forgotten/${ARN}`)!.lastModified.getTime() / 1000)
  expect(forgotten).toEqual(new Map([[ARN, at]]))
  const memories = new Map([
    [ARN, { host: ARN, ...memory }],
    ['db1', { host: 'db1', ...memory }],
  ])
  expect(withForgotten(memories, forgotten)).toEqual(
    new Map([
      [ARN, { host: ARN, ...memory, forgottenAt: at }],
      ['db1', { host: 'db1', ...memory }],
    ]),
  )
})
