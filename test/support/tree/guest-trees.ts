/** Trees on the guest's filesystems: the programs of this folder as one bundle, run by the guest's Node. */
import { build } from 'esbuild'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Guest } from '../../guest/guest'
import type { Entry } from './entry'

/** A walk reads all content. */
const WALK_TIMEOUT_SECONDS = 300

export interface GuestTrees extends AsyncDisposable {
  build(guest: Guest, tree: 'hostile' | 'beyond-tar', directory: string): Promise<void>
  /** @throws Error if it could not read everything */
  walk(guest: Guest, directory: string): Promise<Entry[]>
  /** As `walk`, by one process: starting one takes longer than a small tree does. */
  walkAll(guest: Guest, directories: readonly string[]): Promise<Entry[][]>
}

/** Makes the bundle in a directory of its own, which guests see as they see all of the host. */
export async function bundleTrees(): Promise<GuestTrees> {
  const directory = await mkdtemp(join(tmpdir(), 'snapstream-tree-'))
  const program = join(directory, 'tree.cjs')
  await build({
    entryPoints: [join(__dirname, 'main.ts')],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  })
  const walkAll = async (guest: Guest, directories: readonly string[]): Promise<Entry[][]> => {
    const text = await guest.run(['node', program, 'walk', ...directories], { timeoutSeconds: WALK_TIMEOUT_SECONDS })
    const trees = text.split('\n\n').slice(0, directories.length)
    return trees.map((lines) => lines.split('\n').map((line) => JSON.parse(line) as Entry))
  }
  return {
    async build(guest, tree, target) {
      await guest.run(['node', program, 'build', tree, target])
    },
    walk: async (guest, target) => (await walkAll(guest, [target]))[0] ?? [],
    walkAll,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}
