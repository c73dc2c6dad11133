/**
 * Records of pax extended headers, `LENGTH KEY=VALUE\n` each (POSIX.1-2017, "pax Extended Header"). Those that pass by in a
 * backup are read in pieces, and what nobody needs of them is not kept; those of one entry that are at hand, one by one.
 */
import { PATH_BYTES_MAX } from './entry'
import { applyRecord, isAttribute, isKept, type Extension } from './extension'
import { brokenTar } from './header'

const SPACE = 0x20
const NEWLINE = 0x0a
const EQUALS = 0x3d
const ZERO = 0x30
const NINE = 0x39

/** A record that is there as a whole. */
export interface PaxRecord {
  readonly key: string
  readonly value: Buffer
  /** All of it: length, key, value and newline. */
  readonly bytes: Buffer
}

/** More than the largest header needs that is read. */
const WHOLE_LENGTH_DIGITS_MAX = 10

/** The record that starts there, or undefined where none does that can be read in one way only. */
export function readRecord(body: Buffer, at: number): PaxRecord | undefined {
  const space = body.indexOf(SPACE, at)
  const length = space < 0 || space - at > WHOLE_LENGTH_DIGITS_MAX ? '' : body.toString('latin1', at, space)
  const end = at + Number(length)
  const equals = body.indexOf(EQUALS, space)
  const isWhole = /^[1-9]\d*$/.test(length) && equals >= 0 && equals < end && end <= body.length
  if (!isWhole || body[end - 1] !== NEWLINE) return undefined
  const key = body.toString('latin1', space + 1, equals)
  return { key, value: body.subarray(equals + 1, end - 1), bytes: body.subarray(at, end) }
}

export function formatRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let bytes = rest.length // LENGTH counts its own digits too
  while (bytes !== rest.length + String(bytes).length) bytes = rest.length + String(bytes).length
  return Buffer.concat([Buffer.from(String(bytes)), rest])
}

/** Extended attributes' names have up to 255 bytes, of which tar may make three each; whatever is longer is skipped. */
const KEY_BYTES_MAX = 1024
const LENGTH_DIGITS_MAX = 15

export interface PaxReader {
  /**
   * Begins with the next header.
   *
   * @param offset - of the header in the stream, for messages
   * @param extension - gets what the records say
   */
  start(offset: number, extension: Extension): void
  /** Takes the next bytes of the header. @throws AgentError ARCHIVE_FAILED where they are no records */
  push(data: Buffer, start: number, end: number): void
  /** To be called after the last byte of the header. @throws AgentError ARCHIVE_FAILED where its last record is cut */
  finish(): void
}

/**
 * Reads records in pieces of any size. Memory does not grow with the values: extended
 * attributes, 64 KiB each and on xfs any number of them, pass by.
 */
export function paxReader(): PaxReader {
  let offset = 0
  let extension: Extension = {}
  let stage: 'length' | 'key' | 'value' = 'length'
  let digits = 0
  let left = 0 // of the record, from the byte that comes next
  let key = ''
  let isWanted = false
  let gathered: Buffer[] = []
  let gatheredBytes = 0

  const malformed = () => brokenTar(offset, 'its pax header is malformed')

  function takeLength(data: Buffer, start: number, end: number): number {
    let at = start
    for (; at < end; at++, digits++) {
      const byte = data[at] as number
      if (!(byte >= ZERO && byte <= NINE && digits < LENGTH_DIGITS_MAX)) break
      left = left * 10 + (byte - ZERO)
    }
    if (at === end) return at
    left -= digits + 1
    // At least a key of one byte, the equals sign and the newline are to follow.
    if (data[at] !== SPACE || left < 3) throw malformed()
    stage = 'key'
    return at + 1
  }

  function takeKey(data: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + left - 1)
    let at = start
    while (at < stop && data[at] !== EQUALS) at++
    if (key.length < KEY_BYTES_MAX) key += data.toString('latin1', start, at)
    left -= at - start
    if (at < stop) {
      left--
      if (key === '' || left < 1) throw malformed()
      startValue()
      return at + 1
    }
    if (left <= 1) throw malformed()
    return at
  }

  function startValue(): void {
    stage = 'value'
    isWanted = isKept(key)
    if (!isWanted && isAttribute(key)) extension.xattrs = true
  }

  function takeValue(data: Buffer, start: number, end: number): number {
    const valueLeft = left - 1
    const bytes = Math.min(valueLeft, end - start)
    const at = start + bytes
    left -= bytes
    const isWhole = at < end
    if (isWhole && data[at] !== NEWLINE) throw malformed()
    if (isWanted) {
      if (isWhole && gatheredBytes === 0) apply(data, start, at)
      else gather(data, start, at, isWhole)
    }
    if (!isWhole) return at
    expectRecord()
    return at + 1
  }

  function expectRecord(): void {
    stage = 'length'
    digits = left = gatheredBytes = 0
    key = ''
  }

  function gather(data: Buffer, start: number, end: number, isWhole: boolean): void {
    const room = PATH_BYTES_MAX + 1 - gathered.reduce((sum, { length }) => sum + length, 0)
    if (room > 0) gathered.push(Buffer.from(data.subarray(start, Math.min(end, start + room))))
    gatheredBytes += end - start
    if (!isWhole) return
    const value = Buffer.concat(gathered)
    gathered = []
    apply(value, 0, value.length)
  }

  function apply(data: Buffer, start: number, end: number): void {
    applyRecord(extension, { key, data, start, end, bytes: Math.max(gatheredBytes, end - start) }, offset)
  }

  return {
    start(atOffset, ofEntry) {
      offset = atOffset
      extension = ofEntry
      gathered = []
      expectRecord()
    },
    push(data, start, end) {
      for (let at = start; at < end;) {
        if (stage === 'length') at = takeLength(data, at, end)
        else if (stage === 'key') at = takeKey(data, at, end)
        else at = takeValue(data, at, end)
      }
    },
    finish() {
      if (stage !== 'length' || digits > 0) throw malformed()
    },
  }
}
