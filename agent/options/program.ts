/** A program's command line as data. The agent's is in `agent.ts`; another program has its own tables. */
import type { Option } from './table'

export interface Command<O extends string = string> {
  readonly summary: string
  readonly options: readonly O[]
  /** The option that is not written as a flag but stands by itself. */
  readonly argument?: O
  /** Options without which the command makes no sense, and that have no default. */
  readonly required: readonly O[]
  /** Options whose default does not hold for this command: not given, they narrow nothing. */
  readonly withoutDefault: readonly O[]
  /** What holds for these where they are not given, for help; left out: any. */
  readonly byDefault?: string
}

/**
 * @template C - names of commands
 * @template O - names of options: `snapshotSize` is `--snapshot-size`, `SNAPSTREAM_SNAPSHOT_SIZE` and `"snapshotSize"`
 */
export interface Program<C extends string = string, O extends string = string> {
  /** As it is called in a shell. */
  readonly name: string
  readonly description: string
  readonly commands: Readonly<Record<C, Command<O>>>
  readonly options: Readonly<Record<O, Option<unknown>>>
  /** What each page of its documentation is about, by the name that `help` takes. */
  readonly pages?: Readonly<Record<string, string>>
  /** File of options, where no `config` option names another. */
  readonly configFile: string
  /** Fields of such a file, as an example for help: JSON on a line by itself. */
  readonly configExample: string
}

export function commandNames<C extends string>({ commands }: Program<C>): readonly C[] {
  return Object.keys(commands) as C[]
}

export function optionNames<O extends string>({ options }: Program<string, O>): readonly O[] {
  return Object.keys(options) as O[]
}
