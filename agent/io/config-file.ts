import { open } from 'node:fs/promises'
import { AgentError } from '../errors'
import { parseConfig, type Config } from '../plan/config'

const WRITABLE_BY_OTHERS = 0o002

/**
 * @param file.named - somebody asked for this file; otherwise it need not exist
 * @throws AgentError CONFIG_INVALID
 */
export async function readConfigFile({ file, named }: { file: string; named: boolean }): Promise<Config> {
  let text: string
  try {
    await using handle = await open(file)
    // The file names programs that run as root.
    if (((await handle.stat()).mode & WRITABLE_BY_OTHERS) !== 0) throw writableByOthers(file)
    text = await handle.readFile('utf8')
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    if (!named && (cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new AgentError('CONFIG_INVALID', `${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'Check the path given by --config or SNAPSTREAM_CONFIG, and who may read the file.',
      cause,
    })
  }
  return parseConfig(text, file)
}

function writableByOthers(file: string): AgentError {
  return new AgentError('CONFIG_INVALID', `${file} can be written by anybody, and names programs that run as root`, {
    hint: `Run "chmod o-w ${file}" and look at what is in it.`,
  })
}
