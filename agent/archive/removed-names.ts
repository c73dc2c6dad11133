/** Names of a base that its volume no longer had: a line of the catalog each, and listed once more for those who restore by hand. */
import { AgentError } from '../errors'
import { onPage } from '../pages'
import { PATH_BYTES_MAX } from '../tar/entry'
import { namedBy, type Named } from '../tar/order'
import type { CatalogRemoved } from './catalog'

/** How an archive names its members, and the list what is gone. */
const MEMBER_START = Buffer.from('./')

/** The catalog's line, with its newline. @param path - as the catalog has it, as bytes */
export function formatRemoved(path: Buffer): string {
  const { path: removed, path64: removed64 } = namedBy(path)
  const line: CatalogRemoved = { removed, ...(removed64 !== undefined && { removed64 }) }
  return `${JSON.stringify(line)}\n`
}

/** Cuts the text of a list into names as it comes. Functions throw AgentError ARCHIVE_DAMAGED for what is no list. */
export interface RemovedSplitter {
  /** Those that end in this piece. */
  push(piece: Buffer): Named[]
  /** To be called after the last piece. */
  finish(): void
}

/** @param key - of the list, for messages */
export function removedSplitter(key: string): RemovedSplitter {
  let rest = Buffer.alloc(0)
  const refuse = (what: string): never => {
    throw new AgentError('ARCHIVE_DAMAGED', `${key} ${what}`, {
      hint: `Look for an earlier version of the object: ${onPage('restore-by-hand')} says how.`,
    })
  }
  const nameIn = (member: Buffer): Named => {
    const isMember = member.length > MEMBER_START.length && member.subarray(0, MEMBER_START.length).equals(MEMBER_START)
    return isMember ? namedBy(member.subarray(MEMBER_START.length)) : refuse('has a name that does not begin with ./')
  }
  return {
    push(piece) {
      const text = Buffer.concat([rest, piece])
      const names: Named[] = []
      let start = 0
      for (let end = text.indexOf(0); end >= 0; end = text.indexOf(0, start)) {
        names.push(nameIn(text.subarray(start, end)))
        start = end + 1
      }
      rest = Buffer.from(text.subarray(start)) // a copy: the piece is used again
      if (rest.length > MEMBER_START.length + PATH_BYTES_MAX) refuse(`has a name of more than ${PATH_BYTES_MAX} bytes`)
      return names
    },
    finish() {
      if (rest.length > 0) refuse('was cut short')
    },
  }
}
