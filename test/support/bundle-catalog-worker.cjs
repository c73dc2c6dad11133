// The catalog worker's thread, as those that walk and that parse manifests, runs the file it is in: the bundle in the product, here a bundle of the threads alone, as a
// thread cannot run what jest compiles in memory. Made anew before each test run.
const { mkdirSync, renameSync } = require('node:fs')
const { dirname, resolve } = require('node:path')
const { buildSync } = require('esbuild')

const root = resolve(__dirname, '../..')
const file = resolve(root, '.cache/test/catalog-worker.cjs')

module.exports = () => {
  const unfinished = `${file}.${process.pid}`
  mkdirSync(dirname(file), { recursive: true })
  buildSync({
    stdin: {
      contents: `
        import { runCatalogWorkerIfAsked } from './agent/archive/catalog-worker-thread.io'
        import { runWalkIfAsked } from './agent/changes/walk-thread.io'
        import { runManifestParserIfAsked } from './fleet/evidence/parser-thread.io'
        runCatalogWorkerIfAsked() || runWalkIfAsked() || runManifestParserIfAsked()`,
      resolveDir: root,
    },
    outfile: unfinished,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
  })
  renameSync(unfinished, file) // another test run may be reading it
}
module.exports.file = file
