import { writeFile } from 'node:fs/promises'
import { AgentError } from '../errors'

/** Writes a script that only its owner may read and run. @throws AgentError TARGET_UNFIT where there is a file already */
export async function writeScript(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o700, flag: 'wx' })
  } catch (cause) {
    throw new AgentError('TARGET_UNFIT', `cannot write ${path}: ${String(cause)}`, {
      hint: 'Name a file that does not exist yet, in a directory that can be written to.',
      cause,
    })
  }
}
