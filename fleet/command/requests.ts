/** What makes no sense about a request for a command. */
import { findContradiction, type Contradiction } from '../../agent/options/contradictions'
import { COMMANDS, type AnyRequest, type CommandName } from '../../agent/options/commands'
import { OPTIONS } from '../../agent/options/table'
import type { DocumentCommand } from './documents'

/** What the agent makes of each, where it could contradict itself. */
const AGENT_COMMANDS: Partial<Record<DocumentCommand, CommandName>> = {
  run: 'backup',
  verify: 'verify',
  restore: 'restore',
}

type Given = Readonly<Record<string, unknown>>

/** The first thing that is wrong, if anything is. */
export function findWrongRequest(command: DocumentCommand, request: Given): Contradiction | undefined {
  const wrong = command === 'restore' ? wrongInRestore(request) : command === 'verify' ? oneHost(request) : undefined
  return wrong ?? contradictionInAgent(command, request)
}

/** As the agent would see it on the host, after minutes. */
function contradictionInAgent(command: DocumentCommand, request: Given): Contradiction | undefined {
  const name = AGENT_COMMANDS[command]
  if (name === undefined) return undefined
  const options = COMMANDS[name].options.map((option) => [option, request[option] ?? OPTIONS[option].default] as const)
  // The tables that this is built from are those that the type is made from.
  return findContradiction(Object.fromEntries<unknown>([['command', name], ...options]) as unknown as AnyRequest)
}

function wrongInRestore(request: Given): Contradiction | undefined {
  const { target, inPlace, run, at, path, fromHost, tag } = request
  if ((tag as readonly string[]).length > 0) {
    return {
      what: 'restore is given a tag',
      fix: 'What is restored onto hosts is written there as root: name each of them, with --hosts.',
    }
  }
  if ((target !== undefined) === (inPlace === true)) {
    return {
      what: target === undefined ? 'no destination for the restore is given' : '--target and --in-place are both given',
      fix: 'Give one of --target DIRECTORY and --in-place.',
    }
  }
  if (run === undefined && at === undefined) {
    return { what: 'it is not said which backup to restore', fix: 'Give --run, or --at with a time.' }
  }
  if ((path as readonly string[]).length > 1) {
    return { what: '--path is given more than once', fix: 'A document restores one path: send a command for each.' }
  }
  return run === undefined || fromHost !== undefined ? undefined : oneHost(request)
}

/** A run is one host's. */
function oneHost({ hosts, tag }: Given): Contradiction | undefined {
  if ((hosts as readonly string[]).length <= 1 && (tag as readonly string[]).length === 0) return undefined
  return {
    what: 'a run is that of one host, and the command is for others, too',
    fix: 'Name the one host with --hosts. Backups can be verified from here, too: "snapstream verify" with the restorer role.',
  }
}
