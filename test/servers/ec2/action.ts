import type { Account } from './account'
import type { Parameters } from './query'
import type { Xml } from './xml'

/** Names are those before the first dot. A parameter that is neither here nor `DryRun` is refused. */
export interface Action {
  readonly required: readonly string[]
  readonly optional: readonly string[]
  /** @throws Ec2Error where it refuses, having changed nothing */
  run(account: Account, parameters: Parameters): Promise<Xml> | Xml
}
