/** What is seen of a file in passing, without opening it: enough to tell whether it may have changed. */

/** An entry of a filesystem, in little memory: there are millions of them. */
export interface Walked {
  /** `orderKeyOfPath` of its path below the root. */
  readonly key: string
  /** `formatFacts`. An entry is as it was where this text is. */
  readonly facts: string
}

export type WalkedType = 'file' | 'directory' | 'symlink' | 'fifo' | 'character' | 'block'

/** All that change is decided by. */
export interface Facts {
  readonly type: WalkedType
  readonly inode: bigint
  /** Names of the inode. Not of directories. */
  readonly links: number
  readonly sizeBytes: bigint
  /** In nanoseconds since 1970, as `ctimeNs`. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  /** Permission bits, set-id and sticky bits included. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

const LETTERS: Readonly<Record<WalkedType, string>> = {
  ...{ file: 'f', directory: 'd', symlink: 'l', fifo: 'p', character: 'c', block: 'b' },
}
const TYPES: Readonly<Record<string, WalkedType>> = Object.fromEntries(
  Object.entries(LETTERS).map(([type, letter]) => [letter, type as WalkedType]),
)

/** `f 1234 1 4096 1790000000000000000 1790000000000000000 420 0 0`; without a slash or a newline. */
export function formatFacts(facts: Facts): string {
  const { type, inode, links, sizeBytes, mtimeNs, ctimeNs, mode, uid, gid } = facts
  return `${LETTERS[type]} ${inode} ${links} ${sizeBytes} ${mtimeNs} ${ctimeNs} ${mode} ${uid} ${gid}`
}

/** Undefined where the text is not what `formatFacts` writes. */
export function parseFacts(text: string): Facts | undefined {
  const match = /^([fdlpcb]) (\d+) (\d+) (\d+) (-?\d+) (-?\d+) (\d+) (\d+) (\d+)$/.exec(text)
  const type = TYPES[match?.[1] ?? '']
  if (!match || !type) return undefined
  const [inode, links, sizeBytes, mtimeNs, ctimeNs, mode, uid, gid] = match.slice(2) as Eight
  return {
    ...{ type, inode: BigInt(inode), links: Number(links), sizeBytes: BigInt(sizeBytes) },
    ...{ mtimeNs: BigInt(mtimeNs), ctimeNs: BigInt(ctimeNs), mode: Number(mode), uid: Number(uid), gid: Number(gid) },
  }
}
type Eight = [string, string, string, string, string, string, string, string]
