import type { HookRecord } from '../plan/manifest'
import type { HostDeps } from './deps'

/** Of what a hook writes: kept for the manifest. */
const MESSAGE_CHARACTERS = 500

export interface HookCall {
  readonly run: string
  readonly stage: HookRecord['stage']
  readonly timeoutSeconds: number
}

/** Runs a hook to its end, or kills it when its time is over. What it comes to is a result. */
export async function runHook(
  deps: Omit<HostDeps, 'signal'>,
  path: string,
  { run, stage, timeoutSeconds }: HookCall,
): Promise<HookRecord> {
  const word = `${stage}-script`
  const startedAt = deps.now().getTime()
  deps.log.info(`${stage} hook ${path}`)
  const { status, killedBy, stdout, stderr } = await deps.host.attempt(
    // Kills what the hook started, too, which would otherwise go on holding the application.
    ['timeout', '--signal', 'KILL', String(timeoutSeconds), path, word],
    // Never interrupted: what a hook has begun, only its end or the time limit ends.
    new AbortController().signal,
    {
      environment: { SNAPSTREAM_COMMAND: word, SNAPSTREAM_EXECUTION_ID: run },
      // A daemon that the hook left behind may keep its output open; a second more, for the kill above to come first.
      timeoutSeconds: timeoutSeconds + 1,
    },
  )
  const record = { path, stage, ok: status === 0, seconds: (deps.now().getTime() - startedAt) / 1000 }
  if (record.ok) return record
  const fate = killedBy ? `took more than ${timeoutSeconds} s` : `exited with status ${status ?? 'unknown'}`
  const said = `${stderr}\n${stdout}`.trim().slice(-MESSAGE_CHARACTERS)
  deps.log.warn(`${stage} hook ${path} ${fate}${said === '' ? '' : `: ${said}`}`)
  return { ...record, message: said === '' ? fate : `${fate}: ${said}` }
}
