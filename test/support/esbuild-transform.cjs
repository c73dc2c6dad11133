// Compiles tests with the compiler that bundles the agent, so both see the same lowering of `await using`.
const { transformSync } = require('esbuild')
const catalogWorker = require('./bundle-catalog-worker.cjs')

/** They start the file that they are in, as a thread. */
const THREADS = ['agent/archive/catalog-worker.io.ts', 'agent/changes/walk.io.ts', 'fleet/evidence/parser.io.ts']

module.exports = {
  process: (source, path) => {
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node24',
      supported: { 'dynamic-import': false }, // jest's modules have no other way to be imported
      sourcemap: 'external',
      sourcefile: path,
      ...(THREADS.some((file) => path.endsWith(file)) && {
        define: { __filename: JSON.stringify(catalogWorker.file) },
      }),
    })
    return { code, map: JSON.parse(map) }
  },
}
