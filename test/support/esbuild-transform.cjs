// Compiles tests with the compiler that bundles the agent, so both see the same lowering of `await using`.
const { transformSync } = require('esbuild')

module.exports = {
  process: (source, path) => {
    const { code, map } = transformSync(source, {
      loader: 'ts',
      format: 'cjs',
      target: 'node24',
      sourcemap: 'external',
      sourcefile: path,
    })
    return { code, map }
  },
}
