import { AgentError } from '../../agent/errors'
import { planRoute } from '../../agent/bucket/proxy'

const HTTPS = { protocol: 'https:', hostname: 'backups.s3.eu-west-1.amazonaws.com' }
const HTTP = { protocol: 'http:', hostname: '10.1.2.3', port: 9000 }

test.each<[object, string | undefined, string | undefined]>([
  [{}, undefined, undefined],
  [{ HTTPS_PROXY: 'http://proxy:3128' }, 'http://proxy:3128', undefined],
  [{ HTTP_PROXY: 'http://proxy:3128' }, undefined, 'http://proxy:3128'],
  [{ https_proxy: 'http://lower', HTTPS_PROXY: 'http://upper' }, 'http://lower:80', undefined],
  [{ https_proxy: '', HTTPS_PROXY: 'https://upper' }, 'https://upper:443', undefined],
  [{ HTTPS_PROXY: 'proxy.example.net:8080' }, 'http://proxy.example.net:8080', undefined],
  [{ HTTPS_PROXY: 'http://[fd00::1]:3128/' }, 'http://[fd00::1]:3128', undefined],
])('%j', (environment, https, http) => {
  const route = planRoute(environment as Record<string, string>)
  expect(route(HTTPS)?.url).toBe(https)
  expect(route(HTTP)?.url).toBe(http)
})

test('user name and password are sent, and shown to nobody', () => {
  const proxy = planRoute({ HTTPS_PROXY: 'http://al%40ice:s%3Acret@proxy:3128' })(HTTPS)
  expect(proxy?.authorization).toBe(`Basic ${Buffer.from('al@ice:s:cret').toString('base64')}`)
  expect(proxy?.url).toBe('http://proxy:3128')
})

describe('NO_PROXY', () => {
  const bypasses = (exceptions: string, destination: { protocol: string; hostname: string; port?: number }) =>
    planRoute({ HTTPS_PROXY: 'http://p', HTTP_PROXY: 'http://p', NO_PROXY: exceptions })(destination) === undefined

  test.each([
    '*',
    'amazonaws.com',
    '.amazonaws.com',
    '*.amazonaws.com',
    's3.eu-west-1.amazonaws.com',
    'backups.s3.eu-west-1.amazonaws.com',
    'BACKUPS.S3.EU-WEST-1.AMAZONAWS.COM',
    'localhost, amazonaws.com:443',
    'localhost amazonaws.com',
  ])('%s means S3', (exceptions) => expect(bypasses(exceptions, HTTPS)).toBe(true))

  test.each(['', 'aws.com', 'amazonaws.com.cn', 'amazonaws.com:80', '.', '*.', ':443', '10.0.0.0/8', 'azonaws.com'])(
    '%j does not mean S3',
    (exceptions) => expect(bypasses(exceptions, HTTPS)).toBe(false),
  )

  test.each(['10.1.2.3', '10.1.2.3:9000', '10.0.0.0/8', '10.1.2.2/31', '0.0.0.0/0'])(
    '%s means 10.1.2.3',
    (exceptions) => expect(bypasses(exceptions, HTTP)).toBe(true),
  )
  test.each(['10.1.2.30', '2.3', '10.1.2.3:80', '10.2.0.0/16', '10.0.0.0/33', '10.0.0/8', '300.1.2.3'])(
    '%s does not mean 10.1.2.3',
    (exceptions) => expect(bypasses(exceptions, HTTP)).toBe(false),
  )

  test.each(['fd00::1', '[fd00::1]', '[fd00::1]:443'])('%s means an IPv6 address', (exceptions) =>
    expect(bypasses(exceptions, { protocol: 'https:', hostname: '[fd00::1]' })).toBe(true),
  )
})

test.each([
  ['socks5://proxy:1080', 'socks5://proxy:1080'],
  ['http://', 'http://'],
  ['http://proxy:3128/path', 'http://proxy:3128/path'],
  ['http://proxy:99999', 'http://proxy:99999'],
  ['socks5://alice:secret@proxy', '…@proxy'],
  ['http://alice:se@cret@proxy:x', '…@proxy:x'],
])('%s is no proxy, and the message has no password', (text, shown) => {
  const refused = (() => {
    try {
      return planRoute({ HTTPS_PROXY: text })
    } catch (error) {
      return error as AgentError
    }
  })()
  expect(refused).toMatchObject({
    code: 'CONFIG_INVALID',
    message: `HTTPS_PROXY must be the URL of a proxy, not '${shown}'`,
  })
})
