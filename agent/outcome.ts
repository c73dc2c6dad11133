import type { ExitStatus } from './contract'

/** What a command has to say when it is done. A command that could not do its work throws instead. */
export interface Outcome {
  readonly status: ExitStatus
  /** For people; of what is longer than Systems Manager shows, the end is left out. */
  readonly summary: string
  /** For programs: becomes the last line of standard output. */
  readonly json: object
}
