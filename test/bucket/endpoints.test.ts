import { AgentError } from '../../agent/errors'
import { assertSwitches, chooseEndpoint, isAws } from '../../agent/bucket/endpoints'

test.each<[string | undefined, Record<string, string>, string | undefined]>([
  [undefined, {}, undefined],
  ['http://given', { AWS_ENDPOINT_URL_S3: 'http://named' }, 'http://given'],
  [undefined, { AWS_ENDPOINT_URL_S3: 'http://s3', AWS_ENDPOINT_URL: 'http://all' }, 'http://s3'],
  [undefined, { AWS_ENDPOINT_URL: 'http://all' }, 'http://all'],
  [undefined, { AWS_ENDPOINT_URL_S3: '', AWS_ENDPOINT_URL: 'http://all' }, 'http://all'],
  [undefined, { AWS_ENDPOINT_URL: 'http://all', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, undefined],
])('--endpoint-url %s, environment %j', (given, environment, expected) => {
  expect(chooseEndpoint(given, environment)).toBe(expected)
})

test('a variable that holds no endpoint is refused by name, without what may be a password', () => {
  expect(() => chooseEndpoint(undefined, { AWS_ENDPOINT_URL_S3: 'http://alice:secret@s3' })).toThrow(
    new AgentError('USAGE', 'AWS_ENDPOINT_URL_S3 must be a URL such as https://s3.example.net, without credentials', {
      hint: 'Correct the variable, or give --endpoint-url, which takes precedence.',
    }),
  )
})

test.each([
  ['AWS_USE_FIPS_ENDPOINT', 'TRUE'],
  ['AWS_USE_FIPS_ENDPOINT', '1'],
  ['AWS_USE_DUALSTACK_ENDPOINT', 'yes'],
  ['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS', 'on'],
])('%s=%s is refused, which the SDK would take for off', (name, value) => {
  expect(() => assertSwitches({ [name]: value })).toThrow(
    new AgentError('USAGE', `${name} must be true or false, not '${value}'`, {
      hint: 'Correct the variable, in lower case, or unset it.',
    }),
  )
})

test.each(['true', 'false', '', undefined])('AWS_USE_FIPS_ENDPOINT=%s is understood', (value) => {
  expect(() => assertSwitches({ AWS_USE_FIPS_ENDPOINT: value })).not.toThrow()
})

test.each([
  ['backups.s3.eu-west-1.amazonaws.com', true],
  ['backups.s3.cn-north-1.amazonaws.com.cn', true],
  ['backups.s3.eusc-de-east-1.amazonaws.eu', true],
  ['backups.s3.us-iso-east-1.c2s.ic.gov', true],
  ['backups.s3-fips.dualstack.us-gov-west-1.amazonaws.com', true],
  ['bucket.vpce-0123.s3.us-east-1.vpce.amazonaws.com', true],
  ['amazonaws.com.example.net', false],
  ['notamazonaws.com', false],
  ['127.0.0.1', false],
])('%s is AWS: %s', (hostname, expected) => expect(isAws(hostname)).toBe(expected))
