/**
 * Builds and walks trees where they are, in the guest too: a line of JSON for each entry on standard output.
 *
 * Usage: tree.cjs build (hostile | beyond-tar) DIRECTORY
 *        tree.cjs walk DIRECTORY…, with an empty line behind what each has
 */
import { buildTree } from './build'
import { beyondTar, hostileTree } from './hostile'
import { walkTree } from './walk'

const TREES: Readonly<Record<string, typeof hostileTree>> = { hostile: hostileTree, 'beyond-tar': beyondTar }

const [command, ...words] = process.argv.slice(2)
if (command === 'build') void build(words)
else if (command === 'walk') walk(words)
else throw new Error(`unknown command: ${String(command)}`)

async function build([name = '', directory = '']: readonly string[]): Promise<void> {
  const tree = TREES[name]
  if (!tree) throw new Error(`unknown tree: ${name}`)
  await buildTree(directory, tree())
}

function walk(directories: readonly string[]): void {
  for (const directory of directories) {
    const lines = walkTree(directory).map((entry) => `${JSON.stringify(entry)}\n`)
    process.stdout.write(`${lines.join('')}\n`)
  }
}
