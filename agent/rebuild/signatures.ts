/** What blkid found on a device. */
export interface Signature {
  readonly device: string
  /** `ext4`, `swap`, `crypto_LUKS`, … */
  readonly type: string
  readonly uuid: string
  readonly label: string
}

/** Reads what `blkid -o export` prints: lines of a device in a row, then an empty one. */
export function parseSignatures(text: string): Signature[] {
  return text.split('\n\n').flatMap((block) => {
    const fields = new Map(
      [...block.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, key, value]) => [key, value?.replace(/\\(.)/g, '$1')]),
    )
    const deviceName = fields.get('DEVNAME')
    const type = fields.get('TYPE')
    if (deviceName === undefined || type === undefined) return []
    return [{ device: deviceName, type, uuid: fields.get('UUID') ?? '', label: fields.get('LABEL') ?? '' }]
  })
}
