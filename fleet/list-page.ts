/**
 * A page of a listing, as S3's XML has it. The SDK takes 15 ms for a thousand objects, this takes less than one; what does not
 * look as expected is left to the SDK.
 */
import type { ObjectInfo } from '../agent/context'

export interface ListPage {
  readonly objects: readonly ObjectInfo[]
  /** Where the next page begins; undefined for the last one. */
  readonly next: string | undefined
}

const START = '<Contents>'
const END = '</Contents>'
/** One that was cut off lacks it, and what came after: what is not listed would be taken to be gone. */
const WHOLE = /<\/ListBucketResult>\s*$/

/** @returns undefined where it is no page that this understands */
export function parseListPage(xml: string): ListPage | undefined {
  if (!/^(<\?xml[^>]*\?>)?\s*<ListBucketResult[ >]/.test(xml) || xml.includes('<EncodingType>')) return undefined
  if (!WHOLE.test(xml)) return undefined
  const objects: ObjectInfo[] = []
  let rest = 0
  for (let start = xml.indexOf(START); start >= 0; start = xml.indexOf(START, rest)) {
    const end = xml.indexOf(END, start)
    const object = end < 0 ? undefined : parseObject(xml, start, end)
    if (!object) return undefined
    objects.push(object)
    rest = end
  }
  const truncated = textOf(xml, 'IsTruncated', 0, xml.length)
  const next = textOf(xml, 'NextContinuationToken', 0, xml.length)
  if (truncated === 'false' || (truncated === undefined && next === undefined)) return { objects, next: undefined }
  return next === undefined || next === '' ? undefined : { objects, next: unescape(next) }
}

function parseObject(xml: string, start: number, end: number): ObjectInfo | undefined {
  const key = textOf(xml, 'Key', start, end)
  const size = textOf(xml, 'Size', start, end)
  if (key === undefined || size === undefined || !/^\d{1,15}$/.test(size)) return undefined
  return {
    key: unescape(key),
    sizeBytes: Number(size),
    lastModified: new Date(textOf(xml, 'LastModified', start, end) ?? NaN),
    storageClass: textOf(xml, 'StorageClass', start, end) ?? 'STANDARD',
  }
}

function textOf(xml: string, name: string, start: number, end: number): string | undefined {
  const tag = `<${name}>`
  const from = xml.indexOf(tag, start)
  if (from < 0 || from >= end) return undefined
  const to = xml.indexOf('<', from + tag.length)
  return to < 0 ? undefined : xml.slice(from + tag.length, to)
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** Keys may have characters that XML does not allow even as references: whoever may write objects chooses them. */
function unescape(text: string): string {
  if (!text.includes('&')) return text
  return text.replaceAll(
    /&(?:#x([\da-f]{1,6})|#(\d{1,7})|(\w+));/gi,
    (whole, hex?: string, decimal?: string, name = '') => {
      const code = hex !== undefined ? parseInt(hex, 16) : decimal !== undefined ? Number(decimal) : undefined
      if (code === undefined) return NAMED[name as string] ?? whole
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}
