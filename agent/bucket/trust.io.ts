import { readFile } from 'node:fs/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { AgentError } from '../errors'
import type { Environment } from '../options/resolve'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * Trusts the certificates in AWS_CA_BUNDLE besides those that Node trusts, which include those of NODE_EXTRA_CA_CERTS:
 * for all connections of this process from now on.
 *
 * @returns the file; undefined where none is named
 * @throws AgentError CONFIG_INVALID
 */
export async function trustBundle(environment: Environment): Promise<string | undefined> {
  const file = environment['AWS_CA_BUNDLE']
  if (!file) return undefined
  try {
    const certificates = (await readFile(file, 'latin1')).match(CERTIFICATE) ?? []
    if (certificates.length === 0) throw new Error('there is no certificate in it')
    setDefaultCACertificates([...getCACertificates('default'), ...certificates])
  } catch (cause) {
    throw new AgentError('CONFIG_INVALID', `AWS_CA_BUNDLE, ${file}, cannot be used: ${(cause as Error).message}`, {
      hint: 'It must be a file of certificates in PEM format that this user may read. Unset the variable if none is needed.',
      cause,
    })
  }
  return file
}
