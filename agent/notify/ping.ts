/** What is sent to a URL that watches over a command, by the contract of healthchecks.io. */
import { ExitStatus } from '../contract'
import { printableText } from '../lib/printable'

/** What a ping says: the command has started, has succeeded, or has not. */
export type PingKind = 'start' | 'success' | 'failure'

/** healthchecks.io keeps 100 kB of a body; what helps at night is in the first lines. */
const BODY_CHARACTERS_MAX = 10_000

const SUFFIX: Readonly<Record<PingKind, string>> = { start: '/start', success: '', failure: '/fail' }

/** What a status means to whoever is woken by it. */
const MEANING: Readonly<Record<ExitStatus, string>> = {
  [ExitStatus.ok]: 'ok',
  [ExitStatus.failed]: 'failed',
  [ExitStatus.usage]: 'wrong usage',
  [ExitStatus.incomplete]: 'INCOMPLETE: something is missing from it',
  [ExitStatus.cleanupFailed]: 'done, but something was left behind on the host',
  [ExitStatus.waitingForGlacier]: 'waiting for Glacier',
  [ExitStatus.busy]: 'another run holds the lock',
  [ExitStatus.interrupted]: 'interrupted',
}

/** Where a ping goes: the word comes after the path, and before a query. */
export function pingAddress(url: string, kind: PingKind): URL {
  const address = new URL(url)
  if (kind !== 'success') address.pathname = `${address.pathname.replace(/\/+$/, '')}${SUFFIX[kind]}`
  return address
}

/** Nothing but a whole success is one: whoever is told of a success does not look. */
export function kindOf(status: ExitStatus): PingKind {
  return status === ExitStatus.ok ? 'success' : 'failure'
}

/**
 * What is said besides, for people.
 *
 * @param text - the summary of the command, or what went wrong
 */
export function pingBody(command: string, status: ExitStatus, text: string): string {
  const body = `snapstream ${command}: status ${status}, ${MEANING[status]}\n${printableText(text, '')}\n`
  return body.slice(0, BODY_CHARACTERS_MAX)
}

/**
 * Why a ping was not delivered, without the URL, which is a secret.
 *
 * @param address - as it was pinged
 */
export function describePingError(error: unknown, address: URL): string {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown }
  const text = typeof message === 'string' ? message : String(error)
  const secrets = [address.pathname, address.search].filter((part) => part.length > 1)
  if (!secrets.some((secret) => text.includes(secret))) return text
  return typeof code === 'string' ? code : 'the connection failed'
}
