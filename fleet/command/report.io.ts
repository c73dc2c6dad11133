import { randomUUID } from 'node:crypto'
import { rename, rm, writeFile } from 'node:fs/promises'
import { ExitStatus } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import { counted, formatBytes, joinLines } from '../../agent/lib/text'
import type { Outcome, Told } from '../../agent/outcome'
import { formatCsv } from '../report/csv'
import { renderReport } from '../report/render.io'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import { costOf, readPrices } from './cost.io'
import type { reportOutput } from './output-schema'
import { readAuditorSign } from './status.io'
import { isCalm } from './status'

type ReportOutput = Told<typeof reportOutput>

/**
 * Writes the page of the fleet as it is now, or the table of its hosts.
 *
 * @throws AgentError USAGE where no file is named, TARGET_UNFIT where one cannot be written; as `observeFleet`
 */
export async function report(deps: CommandDeps, request: Request<'report'>): Promise<Outcome<ReportOutput>> {
  const { html, csv } = request
  if (html === undefined && csv === undefined) {
    throw new AgentError('USAGE', 'report needs to know where to write: --html is missing', {
      hint: 'Give --html FILE for a page, --csv FILE for a table, or both.',
    })
  }
  const prices = await readPrices(request.prices)
  const seen = await deps.observe({ inventory: request.inventory })
  const { view, histories, config, at } = seen
  const cost = await costOf(deps, seen, prices)
  const files = [
    ...(html === undefined ? [] : [{ file: html, text: renderReport({ view, histories, config, cost, at }) }]),
    ...(csv === undefined ? [] : [{ file: csv, text: formatCsv(view) }]),
  ]
  for (const { file, text } of files) await replace(file, text)
  const told = files.map(({ file, text }) => ({ file, bytes: Buffer.byteLength(text) }))
  const auditor = await readAuditorSign(deps, view)
  return {
    status: isCalm(view, auditor) ? ExitStatus.ok : ExitStatus.incomplete,
    summary: joinLines(
      told.map(({ file, bytes }) => `${file}: ${counted(view.hosts.length, 'host')}, ${formatBytes(bytes)}`),
    ),
    json: { hosts: view.hosts.length, files: told },
  }
}

/**
 * Whole or not at all: a page that is half there looks like a fleet that is half there. In a directory of everybody's, such as /tmp,
 * nobody can have put a link in its way.
 */
async function replace(file: string, text: string): Promise<void> {
  const begun = `${file}.${randomUUID()}.part`
  try {
    await writeFile(begun, text, { flag: 'wx' })
    await rename(begun, file)
  } catch (cause) {
    await rm(begun, { force: true }).catch(() => undefined)
    throw new AgentError('TARGET_UNFIT', `${file} cannot be written: ${(cause as Error).message}`, {
      hint: 'Name a file in a directory that is there, and where you may write.',
      cause,
    })
  }
}
