import { writeFile } from 'node:fs/promises'
import { AgentError } from '../errors'

/**
 * Writes a file that is its owner's alone.
 *
 * @param mode - `0o700` where it is to be run
 * @throws AgentError TARGET_UNFIT where there is a file already
 */
export async function writeNewFile(path: string, text: string, mode: 0o600 | 0o700): Promise<void> {
  try {
    await writeFile(path, text, { mode, flag: 'wx' })
  } catch (cause) {
    throw new AgentError('TARGET_UNFIT', `cannot write ${path}: ${String(cause)}`, {
      hint: 'Name a file that does not exist yet, in a directory that can be written to.',
      cause,
    })
  }
}
