/** Finds what is shipped to hosts among the files of this machine. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { RUNTIMES, type AgentFiles, type Runtime } from './agent-distribution'

interface PackageLock {
  readonly packages: Readonly<Record<string, { readonly version: string }>>
}

/**
 * @param root - of the project
 * @throws Error naming the file that is missing, and the command that makes it
 */
export function findAgentFiles(root: string, nodeRuntime: 'bundled' | 'system'): AgentFiles {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const bundle = present(join(root, 'dist', 'agent.cjs'), 'npm run build')
  if (nodeRuntime === 'system') return { version, bundle }

  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as PackageLock
  const runtimes = RUNTIMES.map((runtime) => {
    const file = `${runtime}-${packages[`node_modules/${runtime}`]?.version ?? ''}.tgz`
    return [runtime, present(join(root, '.cache', 'runtimes', file), 'npm run fetch-runtimes')]
  })
  return { version, bundle, runtimes: Object.fromEntries(runtimes) as Record<Runtime, string> }
}

/** What the bundle of the auditor has in the place of variables: its version and its page. */
export function readAuditorDefine(root: string): Readonly<Record<string, string>> {
  const script = join(root, 'scripts', 'auditor-define.mjs')
  return JSON.parse(execFileSync(process.execPath, [script], { encoding: 'utf8' })) as Record<string, string>
}

function present(file: string, command: string): string {
  if (!existsSync(file)) throw new Error(`${file} is missing: run "${command}"`)
  return file
}
