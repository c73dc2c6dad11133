/** Hooks bring applications to rest for the moment in which the snapshots are taken. */
import { access, constants, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { HOOKS_DIRECTORY } from '../contract'
import { AgentError } from '../errors'
import type { HookRecord } from '../plan/manifest'
import type { HostDeps } from './deps'

type Stage = HookRecord['stage']

export interface HooksRequest {
  readonly run: string
  /** Executables to run after those in the hooks directory. */
  readonly preHook: readonly string[]
  /** Executables to run before those in the hooks directory. */
  readonly postHook: readonly string[]
  /** What a failing pre hook means. A failing post hook comes too late to abort anything: it is recorded. */
  readonly onHookFailure: 'abort' | 'continue'
  /** For each hook, in seconds. */
  readonly hookTimeout: number
}

export interface Held<T> {
  readonly taken: T
  readonly hooks: readonly HookRecord[]
  /** From the start of the first pre hook to the end of the last post hook. */
  readonly heldSeconds: number
}

/** Of what a hook writes: kept for the manifest. */
const MESSAGE_CHARACTERS = 500

/**
 * Runs the pre hooks, `take`, and at once the post hooks: also where a pre hook or `take` failed, so that no
 * application is left at rest.
 *
 * The contract is that of Data Lifecycle Manager's scripts: a hook gets `pre-script` or `post-script` as its argument
 * and in SNAPSTREAM_COMMAND, and the run in SNAPSTREAM_EXECUTION_ID; it succeeded if it exits with 0 in time.
 *
 * @throws AgentError HOOK_FAILED where a hook could be changed by others than root, or where a pre hook fails and that
 * means to abort; and whatever `take` throws
 */
export async function holdApplications<T>(
  deps: HostDeps,
  request: HooksRequest,
  take: () => Promise<T>,
  directory: string = HOOKS_DIRECTORY,
): Promise<Held<T>> {
  const { pre, post } = await findHooks(request, directory)
  const hooks: HookRecord[] = []
  const startedAt = deps.now().getTime()
  let taken: T
  try {
    for (const hook of pre) {
      deps.signal.throwIfAborted()
      const record = await runHook(deps, hook, 'pre', request)
      hooks.push(record)
      if (!record.ok && request.onHookFailure === 'abort') throw hookFailed(record)
    }
    taken = await take()
  } finally {
    for (const hook of post) hooks.push(await runHook(deps, hook, 'post', request))
  }
  return { taken, hooks, heldSeconds: secondsSince(deps, startedAt) }
}

/**
 * The executables of each stage, in the order in which they run.
 *
 * @throws AgentError HOOK_FAILED where one is not there, not executable, or could be changed by others than root
 */
export async function findHooks(
  { preHook, postHook }: Pick<HooksRequest, 'preHook' | 'postHook'>,
  directory: string = HOOKS_DIRECTORY,
): Promise<{ readonly pre: readonly string[]; readonly post: readonly string[] }> {
  const pre = [...(await listHooks(join(directory, 'pre'))), ...preHook]
  const post = [...postHook, ...(await listHooks(join(directory, 'post')))]
  for (const hook of [...pre, ...post]) await assertTrustworthy(hook)
  return { pre, post }
}

/** In lexical order; hidden files and editors' backups are none. */
async function listHooks(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  return names
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .sort()
    .map((name) => join(directory, name))
}

/** A hook runs as root: whoever may change it, or put another in its place, is root. */
async function assertTrustworthy(hook: string): Promise<void> {
  const refuse = (what: string, hint: string, cause?: unknown) =>
    new AgentError('HOOK_FAILED', `the hook ${hook} ${what}`, { hint, cause })
  for (const path of [hook, dirname(hook)]) {
    const { uid, mode } = await stat(path).catch((cause: unknown) => {
      throw refuse('cannot be read', 'Check its path; --pre-hook and --post-hook take absolute paths.', cause)
    })
    if (uid !== 0 || (mode & 0o022) !== 0) {
      throw refuse(
        `could be changed by others than root, since ${path} is theirs or may be written by them`,
        `Run "chown root ${path}" and "chmod go-w ${path}", and look at what is in it.`,
      )
    }
  }
  await access(hook, constants.X_OK).catch((cause: unknown) => {
    throw refuse('is not executable', `Run "chmod +x ${hook}", or remove it.`, cause)
  })
}

async function runHook(deps: HostDeps, path: string, stage: Stage, request: HooksRequest): Promise<HookRecord> {
  const word = `${stage}-script`
  const startedAt = deps.now().getTime()
  deps.log.info(`${stage} hook ${path}`)
  const { status, killedBy, stdout, stderr } = await deps.host.attempt(
    // Kills what the hook started, too, which would otherwise go on holding the application.
    ['timeout', '--signal', 'KILL', String(request.hookTimeout), path, word],
    // Never interrupted: what a hook has begun, only its end or the time limit ends.
    new AbortController().signal,
    {
      environment: { SNAPSTREAM_COMMAND: word, SNAPSTREAM_EXECUTION_ID: request.run },
      // A daemon that the hook left behind may keep its output open; a second more, for the kill above to come first.
      timeoutSeconds: request.hookTimeout + 1,
    },
  )
  const record = { path, stage, ok: status === 0, seconds: secondsSince(deps, startedAt) }
  if (record.ok) return record
  const fate = killedBy ? `took more than ${request.hookTimeout} s` : `exited with status ${status ?? 'unknown'}`
  const said = `${stderr}\n${stdout}`.trim().slice(-MESSAGE_CHARACTERS)
  deps.log.warn(`${stage} hook ${path} ${fate}${said === '' ? '' : `: ${said}`}`)
  return { ...record, message: said === '' ? fate : `${fate}: ${said}` }
}

function hookFailed({ path, message = '' }: HookRecord): AgentError {
  return new AgentError('HOOK_FAILED', `the hook ${path} ${message}`, {
    hint: 'No snapshot was taken. Mend the hook, or go on without it by --on-hook-failure continue.',
  })
}

function secondsSince({ now }: HostDeps, startedAt: number): number {
  return (now().getTime() - startedAt) / 1000
}
