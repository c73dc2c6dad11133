import { setTimeout as sleep } from 'node:timers/promises'
import { ExitStatus, FLEET_STATE_KEY } from '../../agent/contract'
import { AgentError, describeError, hasCode } from '../../agent/errors'
import { printableText } from '../../agent/lib/printable'
import type { Outcome } from '../../agent/outcome'
import type { FleetView } from '../model/records'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import { AUDITOR_SILENT_SECONDS, formatStatus, isCalm, type AuditorSign, type StatusOutput } from './status'

/** How long a watch waits between two looks: each lists the manifests, and reads the new ones. */
const WATCH_SECONDS = 60
/** To the upper left corner, and all below it gone. */
const CLEAR = '\x1b[H\x1b[2J\x1b[3J'

/**
 * Shows the fleet by trouble.
 *
 * @param watchSeconds - between two looks, where it is to be watched
 * @throws AgentError USAGE where it is to be watched and there is no terminal; else as `observeFleet`
 */
export async function status(
  deps: CommandDeps,
  request: Request<'status'>,
  watchSeconds = WATCH_SECONDS,
): Promise<Outcome<StatusOutput>> {
  if (!request.watch) return look(deps, request)
  if (!deps.screen.isTerminal) {
    throw new AgentError('USAGE', '--watch needs a terminal, and makes no sense with --json', {
      hint: 'Leave --watch out, and run the command as often as you like.',
    })
  }
  return watch(deps, request, watchSeconds)
}

async function look(deps: CommandDeps, request: Request<'status'>): Promise<Outcome<StatusOutput>> {
  const { view } = await deps.observe({ inventory: request.inventory })
  const auditor = await readAuditorSign(deps, view)
  const { columns } = deps.screen
  return {
    status: isCalm(view, auditor) ? ExitStatus.ok : ExitStatus.incomplete,
    summary: formatStatus(view, auditor, { ...request, columns }),
    json: { auditor, ...view },
  }
}

/** When the auditor last wrote its state, by the clock that the view has. */
export async function readAuditorSign(
  { openVault, signal }: CommandDeps,
  { at }: Pick<FleetView, 'at'>,
): Promise<AuditorSign> {
  const { vault } = await openVault()
  try {
    const { lastModified } = await vault.store.head(FLEET_STATE_KEY, signal)
    const lastPassAt = Math.floor(lastModified.getTime() / 1000)
    return { lastPassAt, silent: at - lastPassAt > AUDITOR_SILENT_SECONDS }
  } catch (error) {
    if (hasCode(error, 'OBJECT_MISSING')) return { silent: true }
    throw error
  }
}

/** Until somebody ends it: then what was seen last is its outcome. What fails meanwhile is shown, and tried again. */
async function watch(deps: CommandDeps, request: Request<'status'>, seconds: number): Promise<Outcome<StatusOutput>> {
  const { screen, signal } = deps
  let last: Outcome<StatusOutput> | undefined
  let problem: string | undefined
  for (;;) {
    try {
      last = await look(deps, request)
      problem = undefined
      screen.write(`${CLEAR}${picture(last.summary, screen.rows)}${footer(deps.now())}`)
    } catch (error) {
      if (signal.aborted || !last) throw error
      problem = printableText(describeError(error).join('\n'), '')
      screen.write(`${CLEAR}${picture(last.summary, screen.rows - 3)}${problem}\n${footer(deps.now())}`)
    }
    await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined)
    if (!signal.aborted) continue
    screen.write(CLEAR)
    if (problem === undefined) return last
    // What was seen before proves nothing of now.
    const summary = `${last.summary}\nThat was seen before. The last look failed:\n${problem}`
    return { ...last, status: ExitStatus.incomplete, summary }
  }
}

/** As much as fits above the footer. */
function picture(summary: string, rows: number): string {
  const lines = summary.split('\n')
  const room = Math.max(1, rows - 2)
  const shown = lines.length > room ? [...lines.slice(0, room - 1), '… there is more: make the window higher'] : lines
  return `${printableText(shown.join('\n'), '')}\n`
}

function footer(now: Date): string {
  return `Looked at ${now.toISOString().slice(11, 19)} UTC, and again each minute. Ctrl-C ends it.\n`
}
