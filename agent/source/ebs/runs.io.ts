/**
 * A file for each run that has begun to make something in EBS: where there is none, EC2 need not be asked for what is left. Its
 * directory stays, and so tells that this host has been backed up through EBS.
 */
import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { RUN_PATTERN } from '../../contract'
import { AgentError } from '../../errors'

/** @throws AgentError COMMAND_FAILED where it cannot be written: without it, what a killed run leaves might cost for weeks */
export async function recordRun(run: string, directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    await writeFile(join(directory, run), '', { mode: 0o600, flush: true })
  } catch (cause) {
    throw new AgentError('COMMAND_FAILED', `${join(directory, run)} cannot be written: ${(cause as Error).message}`, {
      hint: 'By this file the next run, and the next boot, know that something may be left in EBS.',
      cause,
    })
  }
}

export async function forgetRun(run: string, directory: string): Promise<void> {
  await rm(join(directory, run), { force: true }).catch(() => undefined)
}

export async function listRuns(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.filter((name) => new RegExp(RUN_PATTERN).test(name))
}

/** Whether there has been a run that got so far. */
export async function wasUsed(directory: string): Promise<boolean> {
  return await stat(directory).then(
    () => true,
    () => false,
  )
}
