/** The file that a collector of metrics reads, replaced in one step. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Log } from '../context'
import { ExitStatus } from '../contract'
import { METRICS_BYTES_MAX, renewMetrics, type RunEnd } from './metrics'

/** The collector runs as a user of its own. */
const MODE = 0o644
/** What the collector passes over: it reads names that end in `.prom`. */
const UNFINISHED = '.unfinished'

/**
 * Writes what became of a backup, or warns that it could not. Never throws. A run that found another one at work writes
 * nothing: that one will.
 */
export async function writeMetrics(
  { log }: { readonly log: Log },
  { metricsFile, class: className }: { readonly metricsFile?: string | undefined; readonly class: string },
  end: RunEnd,
): Promise<void> {
  if (metricsFile === undefined || end.status === ExitStatus.busy) return
  try {
    await replaceFile(metricsFile, renewMetrics(await readIfThere(metricsFile), className, end))
  } catch (error) {
    log.warn(`the metrics were not written to ${metricsFile}: ${(error as Error).message}`)
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    // A fifo that somebody has put there must not hold us.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
    const stat = await handle.stat()
    if (!stat.isFile() || stat.size > METRICS_BYTES_MAX) return ''
    return (await handle.readFile('utf8')).slice(0, METRICS_BYTES_MAX)
  } catch (error) {
    if (['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return ''
    throw error
  }
}

/** Whoever reads it has the old text or the new one. Its directory may be the collector's: no name in it is written through. */
async function replaceFile(file: string, text: string): Promise<void> {
  const directory = dirname(file)
  const prefix = `.${basename(file)}.`
  for (const name of await readdir(directory)) {
    // Of a run that was killed here: there is one run at a time.
    if (name.startsWith(prefix) && name.endsWith(UNFINISHED)) await unlink(join(directory, name))
  }
  const unfinished = join(directory, `${prefix}${randomBytes(6).toString('hex')}${UNFINISHED}`)
  await using handle = await open(unfinished, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, MODE)
  try {
    await handle.chmod(MODE) // whatever the umask is
    await handle.writeFile(text)
    await handle.sync()
    await rename(unfinished, file)
  } catch (error) {
    await unlink(unfinished).catch(() => undefined)
    throw error
  }
}
