/** Other backup programs, from the distribution: `npm run setup -- --peers` installs them. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Argv } from '../agent/context'
import { formatArgv } from '../agent/host/argv'
import type { Server } from '../test/servers'

export interface Peer {
  /** With its version. */
  readonly name: string
  /** A shell's command line that makes the repository. */
  readonly init: string
  /** A shell's command line that backs a directory up once more. */
  backUp(directory: string): string
}

/** A shell's command line for what asks the S3 server. */
export function asUserOf({ accessKeyId, secretAccessKey }: Server, ...words: readonly string[]): string {
  return formatArgv(['env', `AWS_ACCESS_KEY_ID=${accessKeyId}`, `AWS_SECRET_ACCESS_KEY=${secretAccessKey}`, ...words])
}

/**
 * @param root - for repositories and caches
 * @throws Error if one of them is not installed
 */
export function peersOn(root: string, server: Server, bucket: string): Readonly<Record<'restic' | 'borg', Peer>> {
  const repository = `s3:${server.endpoint}/${bucket}/restic`
  const restic = (...words: readonly string[]) => {
    const settings = ['RESTIC_PASSWORD=bench', `RESTIC_CACHE_DIR=${join(root, 'restic-cache')}`]
    return asUserOf(server, ...settings, 'restic', '--quiet', '--repo', repository, ...words)
  }
  const archives = join(root, 'borg-repository')
  const borg = (...words: readonly string[]) => {
    const settings = ['BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes', `BORG_BASE_DIR=${join(root, 'borg')}`]
    return formatArgv(['env', ...settings, 'borg', ...words] as Argv)
  }
  return {
    restic: {
      name: versionOf('restic', 'version'),
      init: restic('init'),
      backUp: (directory) => restic('backup', directory),
    },
    // It knows no S3, and writes to a directory. Without encryption it is fastest.
    borg: {
      name: versionOf('borg', '--version'),
      init: borg('init', '--encryption', 'none', archives),
      backUp: (directory) => borg('create', '--compression', 'zstd,3', `${archives}::{utcnow}`, directory),
    },
  }
}

function versionOf(program: string, flag: string): string {
  const { stdout, error } = spawnSync(program, [flag], { encoding: 'utf8' })
  if (error) throw new Error(`${program} is missing: run "npm run setup -- --peers" first`)
  return stdout.split(/\s+/).slice(0, 2).join(' ')
}
