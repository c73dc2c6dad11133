/** Tar archives block by block, so that anything at all can be in them. */

export interface Block {
  /** As it stands in the header. */
  readonly name?: string | Buffer
  readonly type?: string
  readonly mode?: number
  readonly link?: string
  readonly data?: string | Buffer
  /** Records of an extended header in front of it. */
  readonly pax?: readonly (readonly [key: string, value: string | Buffer])[]
  readonly magic?: string
  /** Changes the header before its checksum is computed. */
  readonly edit?: (header: Buffer) => void
}

/** The volume's root. */
export const ROOT = entry({ name: './', type: '5', mode: 0o755 })
const END = Buffer.alloc(1024)

/** @param parts - entries, or bytes as they are to be */
export function tarOf(...parts: readonly (Block | Buffer)[]): Buffer {
  return Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : entry(part))), END])
}

export function entry(block: Block): Buffer {
  const { pax = [], data = '' } = block
  const records = Buffer.concat(pax.map(([key, value]) => record(key, value)))
  const extended = records.length === 0 ? [] : [extendedHeader(records)]
  return Buffer.concat([...extended, header(block), padded(Buffer.from(data))])
}

/** @param type - `x` for what comes next, `g` for all that follows */
export function extendedHeader(records: Buffer, type = 'x'): Buffer {
  return Buffer.concat([header({ name: './PaxHeaders/x', type, data: records }), padded(records)])
}

/** `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits too. */
export function record(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from('\n')])
  let bytes = rest.length
  while (bytes !== rest.length + String(bytes).length) bytes = rest.length + String(bytes).length
  return Buffer.concat([Buffer.from(String(bytes)), rest])
}

function header({ name = './file', type = '0', mode = 0o644, link = '', data = '', magic, edit }: Block): Buffer {
  const block = Buffer.alloc(512)
  Buffer.from(name).copy(block, 0, 0, 100)
  const numbers: readonly (readonly [at: number, bytes: number, value: number])[] = [
    [100, 8, mode],
    [108, 8, 0],
    [116, 8, 0],
    [124, 12, Buffer.byteLength(data)],
    [136, 12, 1_700_000_000],
    [329, 8, 0],
    [337, 8, 0],
  ]
  for (const [at, bytes, value] of numbers) block.write(`${value.toString(8).padStart(bytes - 1, '0')}\0`, at)
  block.write(type, 156, 'latin1')
  block.write(link, 157)
  block.write(magic ?? 'ustar\x0000', 257, 'latin1')
  edit?.(block)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)])
}
