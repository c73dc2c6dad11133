// `npm run release`: makes release/, what a version is handed out as. docs/install.md says what it is for.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { findAgentFiles } from '../../infra/agent-files'
import { ARCHITECTURES, formatSums, makeArchive } from './archive'
import { packagingFiles } from './packaging'
import { formatSbom } from './sbom'

const ROOT = resolve(__dirname, '../..')
const RELEASE = join(ROOT, 'release')

async function main(): Promise<void> {
  const time = readTime()
  const { version, bundle, runtimes } = findAgentFiles(ROOT, 'bundled')
  if (!runtimes) throw new Error('there is no Node to ship')
  rmSync(RELEASE, { recursive: true, force: true })
  mkdirSync(RELEASE)
  for (const architecture of ARCHITECTURES) {
    const runtime = runtimes[`node-linux-${architecture}`]
    await makeArchive({ version, architecture, time, bundle, runtime, ...packagingFiles(ROOT) }, RELEASE)
  }
  writeFileSync(join(RELEASE, `snapstream-${version}.cdx.json`), makeSbom(time))
  const files = readdirSync(RELEASE).sort()
  writeFileSync(join(RELEASE, 'SHA256SUMS'), formatSums(RELEASE, files))
  process.stdout.write(readFileSync(join(RELEASE, 'SHA256SUMS'), 'utf8'))
}

/**
 * The commit's time. With SOURCE_DATE_EPOCH (https://reproducible-builds.org/specs/source-date-epoch/) git is not asked,
 * as it cannot be where the sources were unpacked from an archive.
 */
function readTime(): Date {
  const epoch = process.env['SOURCE_DATE_EPOCH']
  if (epoch !== undefined) return dateOf(epoch)
  const changes = git('status', '--porcelain', '--untracked-files=no')
  if (changes !== '') {
    throw new Error(
      `a release is made from a commit, and these files are changed:\n${changes}\nHINT: Commit them, or set SOURCE_DATE_EPOCH to try it out.`,
    )
  }
  return dateOf(git('log', '-1', '--format=%ct'))
}

function dateOf(seconds: string): Date {
  if (!/^\d{1,11}$/.test(seconds)) throw new Error(`not a time in seconds since 1970: ${seconds}`)
  return new Date(Number(seconds) * 1000)
}

function makeSbom(time: Date): string {
  const { name, optionalDependencies } = z
    .object({ name: z.string(), optionalDependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')))
  const bundled = z
    .array(z.string())
    .parse(JSON.parse(readFileSync(join(ROOT, 'dist', 'bundled-packages.json'), 'utf8')))
  const runtimes = ARCHITECTURES.map((architecture) => `node-linux-${architecture}`)
  const shipped = [...bundled, ...runtimes.map((runtime) => `${runtime}@${optionalDependencies[runtime] ?? ''}`)]
  const npm = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only']
  const output = execFileSync('npm', npm, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 })
  return formatSbom(output, { name, shipped, time })
}

function git(...args: readonly string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim()
}

main().catch((error: unknown) => {
  console.error(`snapstream: ${(error as Error).message}`)
  process.exitCode = 1
})
