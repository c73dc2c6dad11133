/** What a plan shows that must not be begun. */
import { AgentError } from '../errors'
import { more } from '../lib/long-names'
import type { RestoreRequest } from '../options/commands'
import type { RestoreTask } from './restore-task'

/** @throws AgentError USAGE where more than a file would be printed, TARGET_UNFIT with the names that are taken */
export function assertNotRefused({ stdout }: RestoreRequest, tasks: readonly RestoreTask[]): void {
  if (stdout) assertOneFile(tasks)
  else assertNoConflicts(tasks)
}

function assertOneFile([task, ...others]: readonly RestoreTask[]): void {
  if (task && others.length === 0) {
    const { entries, kept, types } = task.plan
    if (entries === 1 && kept === 0 && (types.file === 1 || types.hardlink === 1)) return
  }
  throw new AgentError('USAGE', '--stdout prints one file, and this is more than one, or something else', {
    hint: 'Name one file with --path, or restore into a directory with --target.',
  })
}

function assertNoConflicts(tasks: readonly RestoreTask[]): void {
  for (const { plan, target } of tasks) {
    if (plan.conflicts.count === 0) continue
    const taken = [...plan.conflicts.first, more(plan.conflicts)].filter((name) => name !== undefined)
    throw new AgentError('TARGET_UNFIT', `${target.directory} already has these: ${taken.join(', ')}`, {
      hint:
        'Restore into an empty directory, or decide with --on-conflict skip, overwrite or newer. ' +
        'To continue an interrupted restore, use --resume.',
    })
  }
}
