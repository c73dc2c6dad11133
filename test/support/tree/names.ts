import { isUtf8 } from 'node:buffer'

/*
 * File names are bytes; JSON and test literals are strings. A byte that is not part of valid UTF-8 becomes one of
 * U+DC80..U+DCFF, which valid UTF-8 never decodes to, so that nothing is lost and nothing collides.
 */

/** Unpaired only (flag u): the same unit is also the second half of characters beyond U+FFFF. */
const ESCAPED_BYTE = /([\uDC80-\uDCFF])/u
const ESCAPE_BASE = 0xdc00
const UTF8_LENGTH_MAX = 4

/** A file name or path as a string, from which {@link encodeName} makes the same bytes again. */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  let name = ''
  for (let at = 0; at < bytes.length;) {
    const length = characterLength(bytes, at)
    name += length === 0 ? String.fromCharCode(ESCAPE_BASE + bytes[at]!) : bytes.toString('utf8', at, at + length)
    at += Math.max(length, 1)
  }
  return name
}

/** The bytes of a name as {@link decodeName} gives it, or as a literal has it: `'caf\udce9'` is `caf` and 0xE9. */
export function encodeName(name: string): Buffer {
  if (!ESCAPED_BYTE.test(name)) return Buffer.from(name)
  return Buffer.concat(
    name
      .split(ESCAPED_BYTE)
      .map((piece) => (ESCAPED_BYTE.test(piece) ? Buffer.of(piece.charCodeAt(0) - ESCAPE_BASE) : Buffer.from(piece))),
  )
}

/** How many bytes the UTF-8 character at `at` takes; 0 if there is none. */
function characterLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= UTF8_LENGTH_MAX && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length
  }
  return 0
}
