/** Which way leads to a server: straight there, or through the proxy that the environment names. */
import { AgentError } from '../errors'
import type { Environment } from '../options/resolve'

/** A server, as a URL names it. */
export interface Destination {
  readonly protocol: string
  /** IPv6 addresses with or without brackets. */
  readonly hostname: string
  readonly port?: number | undefined
}

export interface Proxy {
  readonly protocol: 'http:' | 'https:'
  /** Without brackets. */
  readonly hostname: string
  readonly port: number
  /** What to send as `Proxy-Authorization`: a secret. */
  readonly authorization?: string
  /** For people: `http://proxy:3128`, without user name and password. */
  readonly url: string
  /** The environment variable that names it. */
  readonly variable: string
}

/** Decides for each destination by itself: a proxy may be for some of them only. */
export type Route = (destination: Destination) => Proxy | undefined

/**
 * Reads HTTPS_PROXY, HTTP_PROXY and NO_PROXY, each in lower case first, as curl does.
 *
 * @throws AgentError CONFIG_INVALID where a proxy's URL cannot be used, whether it is needed or not
 */
export function planRoute(environment: Environment): Route {
  const proxies = {
    'https:': readProxy(environment, 'https_proxy') ?? readProxy(environment, 'HTTPS_PROXY'),
    'http:': readProxy(environment, 'http_proxy') ?? readProxy(environment, 'HTTP_PROXY'),
  }
  const exceptions = (environment['no_proxy'] || environment['NO_PROXY'] || '').split(/[\s,]+/).filter(Boolean)
  return (destination) => {
    const proxy = proxies[destination.protocol as keyof typeof proxies]
    return proxy && !exceptions.some((exception) => matches(exception, destination)) ? proxy : undefined
  }
}

/** Straight to every server. */
export const DIRECT: Route = () => undefined

export function portOf({ protocol, port }: Destination): number {
  return port ?? (protocol === 'https:' ? 443 : 80)
}

/** `[::1]` -> `::1`: what Node connects to. */
export function bareHostname({ hostname }: Pick<Destination, 'hostname'>): string {
  return hostname.replace(/^\[|\]$/g, '')
}

/** `host:443`, as CONNECT has it. */
export function authorityOf(destination: Destination): string {
  const host = bareHostname(destination)
  return `${host.includes(':') ? `[${host}]` : host}:${portOf(destination)}`
}

const PORTS = { 'http:': 80, 'https:': 443 }

function readProxy(environment: Environment, variable: string): Proxy | undefined {
  const text = environment[variable]
  if (!text) return undefined
  // `proxy:3128` would be taken for a scheme.
  const url = URL.parse(text.includes('://') ? text : `http://${text}`)
  const { protocol, hostname, port, username, password } = url ?? {}
  const isWhole = hostname && (url?.pathname === '/' || url?.pathname === '') && !url.search && !url.hash
  if (!isWhole || (protocol !== 'http:' && protocol !== 'https:')) throw unfit(variable, text)
  const credentials = `${decode(variable, username)}:${decode(variable, password)}`
  return {
    protocol,
    hostname: bareHostname({ hostname }),
    port: port ? Number(port) : PORTS[protocol],
    ...(credentials !== ':' && { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }),
    url: `${protocol}//${hostname}:${port || PORTS[protocol]}`,
    variable,
  }
}

function decode(variable: string, part = ''): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new AgentError('CONFIG_INVALID', `the user name or password in ${variable} is not written as in a URL`, {
      hint: 'Write a percent sign as %25, and other special characters likewise.',
    })
  }
}

function unfit(variable: string, text: string): AgentError {
  // It may hold a password, wherever that begins.
  const shown = text.includes('@') ? `…@${text.slice(text.lastIndexOf('@') + 1)}` : text
  return new AgentError('CONFIG_INVALID', `${variable} must be the URL of a proxy, not '${shown.slice(0, 80)}'`, {
    hint: 'Write http://HOST:PORT or https://HOST:PORT; SOCKS is not supported. List hosts that need no proxy in NO_PROXY.',
  })
}

/**
 * Whether an item of NO_PROXY means this destination: `*`, a name with all names below it, an address, a network of
 * IPv4 addresses such as 10.0.0.0/8, each also with a port.
 */
function matches(exception: string, destination: Destination): boolean {
  if (exception === '*') return true
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(exception) ?? [undefined, exception]
  if (port !== undefined && Number(port) !== portOf(destination)) return false
  const hostname = bareHostname(destination).toLowerCase().replace(/\.$/, '')
  if (host.includes('/')) return isInNetwork(hostname, host)
  const name = bareHostname({ hostname: host })
    .toLowerCase()
    .replace(/^\*?\./, '')
  return name !== '' && (hostname === name || (parseAddress(hostname) === undefined && hostname.endsWith(`.${name}`)))
}

function isInNetwork(hostname: string, network: string): boolean {
  const [, base = '', bits] = /^([\d.]+)\/(\d{1,2})$/.exec(network) ?? []
  const [address, first] = [parseAddress(hostname), parseAddress(base)]
  if (address === undefined || first === undefined || Number(bits) > 32) return false
  const size = 2 ** (32 - Number(bits))
  return Math.floor(address / size) === Math.floor(first / size)
}

/** IPv4 only. */
function parseAddress(text: string): number | undefined {
  const bytes = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number)
  if (!bytes || bytes.some((byte) => byte > 255)) return undefined
  return bytes.reduce((address, byte) => address * 256 + byte, 0)
}
