/** What the head of an answer to a ranged read says, and whether the body is what was asked for. */

export interface AnswerHead {
  /** NaN where the text is no answer of HTTP/1.1. */
  readonly status: number
  /** By name in lower case. Where a name comes more than once, the values are joined, as RFC 9110 (5.3) has it. */
  readonly headers: Readonly<Record<string, string>>
}

/** @param text - the head, without the empty line that ends it */
export function parseAnswerHead(text: string): AnswerHead {
  const [start = '', ...lines] = text.split('\r\n')
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }
  return { status: Number(/^HTTP\/1\.1 (\d{3})(?: |$)/.exec(start)?.[1]), headers: Object.fromEntries(headers) }
}

/**
 * Whether the body that follows is the range that was asked for, whole and as it is stored. A server or a cache that
 * does not know ranges, or answers another one, is found out here and not by a checksum far from it.
 *
 * @param range - the header that asked for it, `bytes=1000-1999`
 */
export function isRange({ status, headers }: AnswerHead, range: string, bytes: number): boolean {
  return (
    status === 206 &&
    headers['content-length'] === String(bytes) &&
    headers['transfer-encoding'] === undefined &&
    isAsStored(headers['content-encoding']) &&
    isSameRange(headers['content-range'], range)
  )
}

/** `aws-chunked` is how an object was sent; some servers keep it, and give back what was in the chunks. */
export function isAsStored(contentEncoding: string | undefined): boolean {
  return contentEncoding === undefined || /^(identity|aws-chunked)?$/i.test(contentEncoding)
}

/** @param contentRange - `bytes 1000-1999/5000`, or with an asterisk for the size */
export function isSameRange(contentRange: string | undefined, range: string): boolean {
  const [, answered] = /^bytes (\d+-\d+)\/(?:\d+|\*)$/i.exec(contentRange ?? '') ?? []
  return answered !== undefined && range === `bytes=${answered}`
}
