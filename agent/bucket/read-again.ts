/** Reads a second time before anything is called damaged: one wrong byte on its way is not what is stored. */
import { AgentError, hasCode, isDataLoss } from '../errors'

/** Something between that changes what passes is found out by then, however often it does. */
const READINGS_MAX = 4

/** How to read a second time: what changes the bytes may be the way that the first ones came. */
export const AGAIN = { freshConnection: true } as const

/** A reading: the first where nothing is given, else `AGAIN`. */
type Reading<T> = (how?: typeof AGAIN) => Promise<T>

/** Reads once more where something seems to be lost: what two readings say counts. */
export async function readTwice<T>(read: Reading<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    // A wrong byte can also look as if a later version had written it.
    if (!isDataLoss(error) && !hasCode(error, 'FORMAT_UNSUPPORTED')) throw error
    return await read(AGAIN)
  }
}

/**
 * Makes something of bytes that were read. Where that fails, they are read again, and only if they are the same then is
 * the failure theirs.
 *
 * @param stored - replaced in place by what is read again, so that no buffer more is held
 * @param use - throws what is wrong with the bytes in `stored`
 * @param readAgain - the same bytes, fetched on their own
 * @param what - is read, for messages
 * @throws what `use` throws, once two readings agree; STORE_FAILED where none does, as then nothing is known of what is
 * stored; whatever `readAgain` throws
 */
export async function useOrReadAgain<T>(
  stored: Buffer,
  use: () => T | Promise<T>,
  readAgain: (how: typeof AGAIN) => Promise<Buffer>,
  what: string,
): Promise<T> {
  for (let reading = 1; ; reading++) {
    try {
      return await use()
    } catch (failure) {
      const again = await readAgain(AGAIN)
      if (again.equals(stored)) throw failure
      if (reading === READINGS_MAX) throw unsteady(what)
      again.copy(stored)
    }
  }
}

/**
 * Looks until all is well, or two looks in a row see the same wrong.
 *
 * @param whatIsWrong - with what was seen, in a few words; undefined where nothing is
 * @throws AgentError STORE_FAILED where each look sees another wrong; whatever `look` throws
 */
export async function lookUntilAgreed<T>(
  look: Reading<T>,
  whatIsWrong: (seen: T) => string | undefined,
  what: string,
): Promise<T> {
  let before: string | undefined
  for (let reading = 1; reading <= READINGS_MAX; reading++) {
    const seen = await look(reading === 1 ? undefined : AGAIN)
    const wrong = whatIsWrong(seen)
    if (wrong === undefined || wrong === before) return seen
    before = wrong
  }
  throw unsteady(what)
}

function unsteady(what: string): AgentError {
  return new AgentError('STORE_FAILED', `${what} arrives different each time it is read, and never correct`, {
    hint:
      'Something on the way alters data: suspect the memory of this host, network hardware, or a proxy. ' +
      'This says nothing about what is stored: try again from another host.',
  })
}
