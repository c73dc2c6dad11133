/** Hooks bring applications to rest for the moment in which the snapshots are taken. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { HOOKS_DIRECTORY } from '../contract'
import { AgentError } from '../errors'
import type { HookRecord } from '../run/manifest'
import type { HostDeps, Argv } from '../context'
import { startGuard } from './guard.io'
import { canStartUnits } from '../host/own-unit.io'
import { ownProgram } from '../host/process.io'
import { assertRunnable, runHook } from './run-hook.io'

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

export interface QuiesceResult<T> {
  readonly taken: T
  readonly hooks: readonly HookRecord[]
  /** From the start of the first pre hook to the end of the last post hook: nobody waits for the guard. */
  readonly heldSeconds: number
}

/** What is where on this host. */
interface Surroundings {
  readonly directory: string
  /** The agent's own, unless told. */
  readonly program?: Argv
  readonly canStartUnits: typeof canStartUnits
}

const SURROUNDINGS: Surroundings = { directory: HOOKS_DIRECTORY, canStartUnits }

/**
 * Runs the pre hooks, `take`, and at once the post hooks: also where a pre hook or `take` failed, so that no
 * application is left at rest. Should this process be killed meanwhile, a guard runs them: post hooks have to succeed too
 * where there is nothing to release, or not any more.
 *
 * The contract is that of Data Lifecycle Manager's scripts: a hook gets `pre-script` or `post-script` as its argument
 * and in SNAPSTREAM_COMMAND, and the run in SNAPSTREAM_EXECUTION_ID; it succeeded if it exits with 0 in time.
 *
 * @throws AgentError HOOK_FAILED where a hook could be changed by users other than root, or where a pre hook fails and that
 * means to abort; COMMAND_FAILED where the guard does not start; and whatever `take` throws
 */
export async function quiesceApplications<T>(
  deps: HostDeps,
  request: HooksRequest,
  take: () => Promise<T>,
  surroundings: Partial<Surroundings> = {},
): Promise<QuiesceResult<T>> {
  const { directory, program, canStartUnits } = { ...SURROUNDINGS, ...surroundings }
  const { pre, post } = await findHooks(request, directory)
  const { run, hookTimeout } = request
  const ownUnits = pre.length + post.length > 0 && (await canStartUnits(deps))
  const config = { run, postHooks: post, hookTimeout, ownUnits }
  const guard =
    pre.length === 0 || post.length === 0 ? undefined : await startGuard(deps, config, program ?? ownProgram())
  const hooks: HookRecord[] = []
  const call = async (hook: string, stage: HookRecord['stage']): Promise<HookRecord> => {
    guard?.notify('begins')
    const record = await runHook(deps, hook, { run, stage, timeoutSeconds: hookTimeout, ownUnit: ownUnits })
    guard?.notify('ended')
    hooks.push(record)
    return record
  }
  const startedAt = deps.now().getTime()
  let taken: T
  let heldSeconds = 0
  try {
    for (const hook of pre) {
      deps.signal.throwIfAborted()
      const record = await call(hook, 'pre')
      if (!record.ok && request.onHookFailure === 'abort') throw hookFailed(record)
    }
    taken = await take()
  } finally {
    // Nothing in here throws: it would hide why there are no snapshots, or lose those that there are.
    for (const hook of post) await call(hook, 'post')
    heldSeconds = (deps.now().getTime() - startedAt) / 1000
    await guard?.stop()
  }
  return { taken, hooks, heldSeconds }
}

/**
 * The executables of each stage, in the order in which they run.
 *
 * @throws AgentError HOOK_FAILED where one is not there, is no executable file, or could be changed by users other than root
 */
export async function findHooks(
  { preHook, postHook }: Pick<HooksRequest, 'preHook' | 'postHook'>,
  directory: string = HOOKS_DIRECTORY,
): Promise<{ readonly pre: readonly string[]; readonly post: readonly string[] }> {
  const pre = [...(await listHooks(join(directory, 'pre'))), ...preHook]
  const post = [...postHook, ...(await listHooks(join(directory, 'post')))]
  for (const hook of [...pre, ...post]) await assertRunnable(hook)
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

function hookFailed({ path, message = '' }: HookRecord): AgentError {
  return new AgentError('HOOK_FAILED', `the hook ${path} ${message}`, {
    hint: 'No snapshot was taken. Fix the hook, or continue without it with --on-hook-failure continue.',
  })
}
