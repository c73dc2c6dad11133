import { AgentError, type ErrorCode } from '../../../agent/errors'
import { ec2Error, ec2ErrorCode, failureKindOf, isNotFound } from '../../../agent/source/ebs/ec2-errors'

const failure = (name: string, more: object = {}) => Object.assign(new Error('said'), { name, ...more })

test.each<[string, object, ErrorCode, RegExp, string]>([
  [
    'UnauthorizedOperation',
    {},
    'ACCESS_DENIED',
    /^ec2:AttachVolume is denied: UnauthorizedOperation: said$/,
    'CLIENT_ERROR',
  ],
  ['AuthFailure', {}, 'ACCESS_DENIED', /^AttachVolume failed: AuthFailure: said$/, 'CLIENT_ERROR'],
  ['RequestExpired', {}, 'CREDENTIALS_EXPIRED', /said/, 'CLIENT_ERROR'],
  ['CredentialsProviderError', {}, 'NO_CREDENTIALS', /said/, 'CLIENT_ERROR'],
  ['Error', { code: 'ECONNREFUSED' }, 'ENDPOINT_UNREACHABLE', /ECONNREFUSED: said/, 'TRANSIENT'],
  ['TimeoutError', { code: 'ECONNRESET' }, 'ENDPOINT_UNREACHABLE', /said/, 'TRANSIENT'],
  ['TimeoutError', { code: 23 }, 'ENDPOINT_UNREACHABLE', /TimeoutError: said/, 'TRANSIENT'],
  ['AttachmentLimitExceeded', {}, 'EC2_FAILED', /said/, 'CLIENT_ERROR'],
  ['RequestLimitExceeded', { $metadata: { httpStatusCode: 503 } }, 'EC2_FAILED', /said/, 'THROTTLING'],
  ['SnapshotCreationPerVolumeRateExceeded', {}, 'EC2_FAILED', /said/, 'THROTTLING'],
  ['InternalError', {}, 'EC2_FAILED', /said/, 'SERVER_ERROR'],
  ['Whatever', { $metadata: { httpStatusCode: 502 } }, 'EC2_FAILED', /Whatever: said/, 'SERVER_ERROR'],
  ['InvalidVolume.NotFound', { $metadata: { httpStatusCode: 400 } }, 'EC2_FAILED', /said/, 'CLIENT_ERROR'],
  ['AbortError', {}, 'INTERRUPTED', /AttachVolume was stopped/, 'CLIENT_ERROR'],
])('%s %j is %s', (name, more, code, message, kind) => {
  const error = ec2Error(failure(name, more), 'AttachVolume')
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string })
  expect(error.hint).not.toBe('')
  expect(ec2ErrorCode(error)).toBe(name)
  expect(failureKindOf(error.cause)).toBe(kind)
  expect(isNotFound(error)).toBe(name.endsWith('.NotFound'))
})

test('who lacks a right is told which, and how hosts get it', () => {
  const { hint } = ec2Error(failure('UnauthorizedOperation'), 'CreateSnapshots')
  expect(hint).toContain('hosts: { ebs: true }')
  expect(hint).toContain('snapstream help ebs')
})

test('what is ours already stays what it is', () => {
  const ours = new AgentError('NO_CREDENTIALS', 'none', { hint: 'Get some.' })
  expect(ec2Error(ours, 'CreateVolume')).toBe(ours)
  expect(ec2ErrorCode(ours)).toBeUndefined()
  expect(isNotFound(new Error('x'))).toBe(false)
})
