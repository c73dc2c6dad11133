/** The archive that a host is installed from: the same inputs make the same bytes, on any machine. */
import { createHash } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { create, extract } from 'tar'

export const ARCHITECTURES = ['x64', 'arm64'] as const
export type Architecture = (typeof ARCHITECTURES)[number]

export interface ReleaseInputs {
  /** As package.json has it. */
  readonly version: string
  readonly architecture: Architecture
  /** Every file that makes its way into the archive has this time: the commit's. */
  readonly time: Date
  /** The agent in one file. */
  readonly bundle: string
  readonly thirdPartyLicences: string
  /** The package of Node for this architecture, as npm delivers it. */
  readonly runtime: string
  /** Files that go in as they are, by their names in there. */
  readonly packaging: Readonly<Record<string, string>>
  /** Of gzip, 9 unless told. */
  readonly level?: number
}

/** Digits of the bundle's hash in the name of an installation, as Systems Manager's installations have them. */
const HASH_IN_VERSION = 12
const EXECUTABLE = ['install.sh', 'node', 'snapstream']

/**
 * Writes `snapstream-<version>-linux-<architecture>.tar.gz`.
 *
 * @param directory - to write it to
 * @returns its name
 */
export async function makeArchive(inputs: ReleaseInputs, directory: string): Promise<string> {
  const name = `snapstream-${inputs.version}-linux-${inputs.architecture}`
  const staging = mkdtempSync(join(tmpdir(), 'snapstream-release-'))
  try {
    const files = await gatherFiles(inputs, join(staging, name))
    await create(
      {
        cwd: staging,
        file: join(directory, `${name}.tar.gz`),
        // No owner, no user's umask, and no time but this one: neither in tar's headers nor in gzip's.
        portable: true,
        mtime: inputs.time,
        noDirRecurse: true,
        gzip: { level: inputs.level ?? 9 },
      },
      [name, ...files.map((file) => `${name}/${file}`)],
    )
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  return `${name}.tar.gz`
}

/** @returns the names of the files, sorted */
async function gatherFiles(inputs: ReleaseInputs, directory: string): Promise<string[]> {
  mkdirSync(directory)
  const runtime = join(directory, 'package')
  mkdirSync(runtime)
  await extract({ file: inputs.runtime, cwd: runtime, strip: 1 }, ['package/bin/node', 'package/LICENSE'])
  renameSync(join(runtime, 'bin/node'), join(directory, 'node'))
  renameSync(join(runtime, 'LICENSE'), join(directory, 'node.LICENSE'))
  rmSync(runtime, { recursive: true })

  for (const [name, source] of Object.entries(inputs.packaging)) copyFileSync(source, join(directory, name))
  copyFileSync(inputs.bundle, join(directory, 'agent.cjs'))
  copyFileSync(inputs.thirdPartyLicences, join(directory, 'third-party-licences.txt'))
  writeFileSync(join(directory, 'VERSION'), `${inputs.version}-${sha256(inputs.bundle).slice(0, HASH_IN_VERSION)}\n`)
  writeFileSync(join(directory, 'runtime.sha256'), `${sha256(inputs.runtime)}\n`)

  const files = readdirSync(directory).sort()
  writeFileSync(join(directory, 'SHA256SUMS'), formatSums(directory, files, './'))
  for (const file of [...files, 'SHA256SUMS']) {
    chmodSync(join(directory, file), EXECUTABLE.includes(file) ? 0o755 : 0o644)
  }
  chmodSync(directory, 0o755)
  return [...files, 'SHA256SUMS'].sort()
}

/** As `sha256sum` prints them. */
export function formatSums(directory: string, files: readonly string[], prefix = ''): string {
  return files.map((file) => `${sha256(join(directory, file))}  ${prefix}${file}\n`).join('')
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
