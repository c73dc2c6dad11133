import { assumeRole } from '../../agent/bucket/assume-role.io'
import { AgentError } from '../../agent/errors'
import { serve } from '../support/http-server'
import { refusalOf } from '../support/refusal'

const ROLE = 'arn:aws:iam::111122223333:role/Driller'
const own = async () => ({ accessKeyId: 'AKHOST', secretAccessKey: 'x', sessionToken: 't' })
const before = process.env['AWS_ENDPOINT_URL_STS']
afterEach(() => {
  if (before === undefined) delete process.env['AWS_ENDPOINT_URL_STS']
  else process.env['AWS_ENDPOINT_URL_STS'] = before
})

const answerWith = (number: number) => `
  <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
    <AccessKeyId>AKDRILL${number}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>
    <Expiration>2026-02-01T04:00:00Z</Expiration>
  </Credentials></AssumeRoleResult></AssumeRoleResponse>`
const role = () => assumeRole({ roleArn: ROLE, credentials: own, region: 'eu-west-1', sessionName: 'snapstream' })

test('STS is asked for an hour of the role, with the credentials at hand, and again each time', async () => {
  const asked: string[] = []
  const by: (string | undefined)[] = []
  await using sts = await serve((request, response) => {
    const index = asked.push('') - 1
    by.push(request.headers.authorization)
    request.on('data', (chunk: Buffer) => (asked[index] = `${asked[index]!}${chunk.toString()}`))
    request.on('end', () => response.writeHead(200, { 'content-type': 'text/xml' }).end(answerWith(index)))
  })
  process.env['AWS_ENDPOINT_URL_STS'] = sts.url
  const credentials = role()
  expect(await credentials()).toEqual({
    ...{ accessKeyId: 'AKDRILL0', secretAccessKey: 'secret', sessionToken: 'token' },
    expiration: new Date('2026-02-01T04:00:00Z'),
  })
  expect(await credentials()).toMatchObject({ accessKeyId: 'AKDRILL1' })
  expect(Object.fromEntries(new URLSearchParams(asked[0]))).toMatchObject({
    ...{ Action: 'AssumeRole', RoleArn: ROLE, RoleSessionName: 'snapstream', DurationSeconds: '3600' },
  })
  expect(by[0]).toContain('Credential=AKHOST/')
})

test('a role that does not trust this host is told of with what to do', async () => {
  const error = '<ErrorResponse><Error><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>'
  await using sts = await serve((_, response) => response.writeHead(403, { 'content-type': 'text/xml' }).end(error))
  process.env['AWS_ENDPOINT_URL_STS'] = sts.url
  expect(await refusalOf(role()())).toMatchObject({
    code: 'ACCESS_DENIED',
    message: `STS in eu-west-1 did not let ${ROLE} be assumed: AccessDenied: not you`,
    hint: expect.stringContaining('drills.hostRoles'),
  })
})

test('without credentials of its own a host assumes nothing, and says that', async () => {
  const none = new AgentError('NO_CREDENTIALS', 'no AWS credentials were found', { hint: 'Attach a profile.' })
  const credentials = () => Promise.reject(none)
  const asking = assumeRole({ roleArn: ROLE, credentials, region: 'eu-west-1', sessionName: 'snapstream' })
  expect(await refusalOf(asking())).toMatchObject({ code: 'NO_CREDENTIALS' })
})

test('an STS that nobody reaches', async () => {
  process.env['AWS_ENDPOINT_URL_STS'] = 'http://127.0.0.1:1'
  expect(await refusalOf(role()())).toMatchObject({ code: 'ENDPOINT_UNREACHABLE' })
})
