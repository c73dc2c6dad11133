import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { AgentError } from '../errors'
import type { Program } from './program'
import { parseConfig, type Config } from './resolve'
import { findWeakness, type Weakness } from '../host/trusted-path.io'

/**
 * @param file.named - somebody asked for this file; otherwise it need not exist
 * @param user - who runs the agent: where that is not root, a file of their own is as good as one of root's
 * @throws AgentError CONFIG_INVALID
 */
export async function readConfigFile(
  program: Program,
  { file, named }: { file: string; named: boolean },
  user: number = process.getuid?.() ?? 0,
): Promise<Config> {
  let text: string
  try {
    const weakness = await findWeakness(resolve(file), [user])
    if (weakness) throw changeable(file, weakness)
    text = await readFile(file, 'utf8')
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    if (!named && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new AgentError('CONFIG_INVALID', `${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'Check the path given by --config or SNAPSTREAM_CONFIG, and who may read the file.',
      cause,
    })
  }
  return parseConfig(program, text, file)
}

function changeable(file: string, { what, fix }: Weakness): AgentError {
  return new AgentError('CONFIG_INVALID', `${file} is not trusted, since ${what}, and it names programs to run`, {
    hint: `Look at what is in it, then run "${fix}".`,
  })
}
