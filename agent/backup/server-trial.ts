/** How preflight judges what a server made of uploads that were right, and of some that were wrong. */
import { onPage } from '../pages'
import type { Judgement } from './preflight-checks'

const SERVERS_HINT = `Compare the server with ${onPage('servers')}.`

/** @param what - the store said, of an upload that it did not complete */
export function judgeRefusedCompletion(what: string): Judgement {
  return { status: 'fail', what, fix: `No backup would be completed. ${SERVERS_HINT}` }
}

/**
 * @param confirmed - whether the store said which CRC32 the whole object has
 * @param overwrites - whether a second object took its place
 */
export function judgeCompletion({
  key,
  confirmed,
  overwrites,
}: {
  readonly key: string
  readonly confirmed: boolean
  readonly overwrites: boolean
}): Judgement {
  if (overwrites) {
    return {
      status: 'fail',
      what: `${key} could be overwritten: backups would not be safe from other runs`,
      fix: `It has to refuse "If-None-Match: *" if the object exists. ${SERVERS_HINT}`,
    }
  }
  if (!confirmed) {
    return {
      status: 'warn',
      what: `of ${key}, in two parts, only the size is confirmed, not a checksum`,
      fix: `Every backup will be read back, which takes as long again. ${SERVERS_HINT}`,
    }
  }
  return `${key}, in two parts, is confirmed with its checksum and cannot be overwritten; it stays until it expires`
}

/**
 * S3 user guide, "Checking object integrity for data uploads": objects are accepted only after what was sent along has been
 * compared, and the request is rejected where it differs.
 */
export const NOT_TRIED_ON_AWS =
  'not tried: S3 is documented to refuse data that does not match the checksum sent with it'

/** What a server did with an upload of which every part was good and the checksum of the whole was not. */
export type Treatment =
  | 'refused'
  | 'refused for another reason'
  /** It said that the wrong checksum is right. */
  | 'confirmed'
  /** It said which checksum the object really has. */
  | 'contradicted'
  | 'completed'
  | 'completed earlier'

/** @param key - of the upload, which stays where it was completed */
export function judgeChecksums(
  key: string,
  found: Exclude<Treatment, 'refused for another reason'> | 'parts are not compared',
): Judgement {
  const readBack = `Back up with --verify stream, which reads every archive back. ${SERVERS_HINT}`
  switch (found) {
    case 'refused':
      return 'a part and an upload of two parts are refused if their checksums are wrong'
    case 'contradicted':
      return `the server reports the checksum of what it stored, and backups compare it with theirs; ${key} stays until it expires`
    case 'parts are not compared':
      return {
        status: 'warn',
        what: 'a part with a wrong checksum was accepted, as one that is damaged on its way would be',
        fix: readBack,
      }
    case 'confirmed':
      return {
        status: 'fail',
        what: `a wrong checksum of ${key} was confirmed: what this server confirms means nothing`,
        fix: readBack,
      }
    case 'completed':
      return {
        status: 'warn',
        what: `${key} was completed with a wrong checksum: only the size of what is stored is confirmed`,
        fix: `Every backup will be read back, which takes as long again. ${SERVERS_HINT}`,
      }
    case 'completed earlier':
      return {
        status: 'warn',
        what: `${key} is left from an earlier preflight: this server did not refuse it for its wrong checksum`,
        fix: `If the server was updated since, delete the object to have this tried again. ${readBack}`,
      }
  }
}
