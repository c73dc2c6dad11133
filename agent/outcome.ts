import type { z } from 'zod'
import type { ExitStatus } from './contract'

/** What a command has to say when it is done. A command that could not do its work throws instead. */
export interface Outcome<Json extends object = object> {
  readonly status: ExitStatus
  /** For people; of what is longer than Systems Manager shows, the end is left out. */
  readonly summary: string
  /** For programs: becomes the last line of standard output. The `output-schema.ts` of each room says what is in it. */
  readonly json: Json
}

/** What a schema describes. Schemas of outputs are for types and documents alone: no command looks its own output over. */
export type Told<Schema extends z.ZodType> = Fixed<z.infer<Schema>>

type Fixed<T> = T extends object ? { readonly [Field in keyof T]: Fixed<T[Field]> } : T
