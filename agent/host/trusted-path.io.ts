/**
 * The one rule for files that tell root what to do, the configuration and the hooks: whoever may change them, or put
 * others in their place, is root. So each directory on the way to a file matters as much as the file, also those that
 * symbolic links lead through.
 */
import type { Stats } from 'node:fs'
import { lstat, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { formatArgv } from './argv'

/** Group and others: an access control list that lets somebody write shows here too, as its mask (acl(5)). */
const WRITABLE_BY_OTHERS = 0o022
/** Of symbolic links on one path (Linux: MAXSYMLINKS). */
const LINKS_MAX = 40

/** What makes a path unfit to be trusted. */
export interface Weakness {
  /** What is wrong, with the directory or file that it is wrong with. */
  readonly what: string
  /** The command that mends it. */
  readonly fix: string
}

/**
 * Goes along a path as the kernel does. A directory that anybody may write is refused even where it is sticky, like
 * /tmp: what is root's in it cannot be replaced, but whoever came first chose what it is.
 *
 * @param path - absolute
 * @param trusted - owners beside root: none for what root runs
 * @returns undefined where every step is safe
 * @throws NodeJS.ErrnoException where it cannot be followed to its end, as by `stat`
 */
export async function findWeakness(path: string, trusted: readonly number[] = []): Promise<Weakness | undefined> {
  const left = ['/', ...path.split('/')]
  let here = '/'
  let weakness: Weakness | undefined
  for (let links = 0; left.length > 0;) {
    const next = join(here, left.shift() as string)
    const stats = await lstat(next)
    if (stats.isSymbolicLink()) {
      if (++links > LINKS_MAX)
        throw Object.assign(new Error(`ELOOP: too many symbolic links, ${path}`), { code: 'ELOOP' })
      const target = await readlink(next)
      if (target.startsWith('/')) here = '/'
      left.unshift(...target.split('/'))
      continue
    }
    weakness ??= judge(next, stats, trusted)
    here = next
  }
  return weakness
}

function judge(path: string, { uid, mode }: Stats, trusted: readonly number[]): Weakness | undefined {
  const isForeign = uid !== 0 && !trusted.includes(uid)
  const isWritable = (mode & WRITABLE_BY_OTHERS) !== 0
  if (!isForeign && !isWritable) return undefined
  const permissions = (mode & 0o7777).toString(8).padStart(4, '0')
  const fixes: string[] = []
  if (isForeign) fixes.push(formatArgv(['chown', 'root', path]))
  if (isWritable) fixes.push(formatArgv(['chmod', 'go-w', path]))
  return {
    what: isForeign ? `${path} belongs to user ${uid}` : `${path} can be written by others (mode ${permissions})`,
    fix: fixes.join(' && '),
  }
}
