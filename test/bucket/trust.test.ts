import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, rootCertificates, setDefaultCACertificates } from 'node:tls'
import { trustBundle } from '../../agent/bucket/trust.io'
import { refusalOf } from '../support/refusal'

let directory: string
const before = getCACertificates('default')
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
})
afterEach(() => {
  setDefaultCACertificates(before)
  rmSync(directory, { recursive: true })
})

const fingerprints = (certificates: readonly string[]) =>
  new Set(certificates.map((text) => new X509Certificate(text).fingerprint256))

const bundle = (text: string) => {
  const file = join(directory, 'bundle.pem')
  writeFileSync(file, text)
  return { AWS_CA_BUNDLE: file }
}

test('certificates of a bundle are trusted besides those that were before', async () => {
  const [first, second, third] = rootCertificates
  setDefaultCACertificates([first!])
  const environment = bundle(`# of our proxy\n${second!}\n\n${third!}\n`)
  expect(await trustBundle(environment)).toBe(environment.AWS_CA_BUNDLE)
  expect(fingerprints(getCACertificates('default'))).toEqual(fingerprints([first!, second!, third!]))
})

test('where none is named, nothing changes', async () => {
  expect(await trustBundle({})).toBeUndefined()
  expect(await trustBundle({ AWS_CA_BUNDLE: '' })).toBeUndefined()
  expect(fingerprints(getCACertificates('default'))).toEqual(fingerprints(before))
})

test.each([
  ['is not there', () => ({ AWS_CA_BUNDLE: join(directory, 'missing.pem') })],
  ['holds none', () => bundle('-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE KEY-----\n')],
  ['holds what is none', () => bundle('-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n')],
])('a bundle that %s is refused by its name', async (_, environmentOf) => {
  const environment = environmentOf()
  expect(await refusalOf(trustBundle(environment))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(`AWS_CA_BUNDLE, ${environment.AWS_CA_BUNDLE}, cannot be used: `) as string,
  })
})
