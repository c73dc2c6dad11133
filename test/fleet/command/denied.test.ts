import { AgentError } from '../../../agent/errors'
import { storeError } from '../../../agent/bucket/errors'
import { explainComparing, explainForgetting, explainLooking } from '../../../fleet/command/denied'

const refused = (name: string) =>
  storeError(Object.assign(new Error('no'), { name }), {
    ...{ name: 'ListObjectsV2', bucket: 'backups', key: null, region: 'eu-west-1' },
  })

test('whoever may not look is told who may, and not what a host lacks', () => {
  const told = explainLooking(refused('AccessDenied')) as AgentError
  expect([told.code, told.message]).toEqual([
    'ACCESS_DENIED',
    's3:ListBucket on arn:aws:s3:::backups is denied: AccessDenied: no',
  ])
  expect(told.hint).toContain('its output AuditorRole')
})

test('whoever may not compare is told of no option that there is not', () => {
  const { hint } = explainComparing(refused('AccessDenied')) as AgentError
  expect(hint).toContain('its output RestorerRole')
  expect(hint).not.toContain('--')
})

test('whoever may not decide is told who may', () => {
  expect((explainForgetting(refused('AccessDenied')) as AgentError).hint).toContain('fleet/forgotten/*')
})

test('credentials that are none stay what they are, and so does all else', () => {
  for (const error of [refused('InvalidAccessKeyId'), refused('NoSuchBucket'), new Error('x')]) {
    expect(explainLooking(error)).toBe(error)
  }
})
