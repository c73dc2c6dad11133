/** One look at all that the bucket shows of a fleet. */
import type { FleetState } from './state'
import type { FleetConfig } from '../model/config'
import type { HostHistory } from '../model/records'
import type { FleetDeps } from '../vault'

export interface PassOptions {
  readonly config: FleetConfig
  /** By S3's clock, in seconds. */
  readonly now: number
}

/**
 * What every host's runs are. Only what is new since the last pass is read; what has gone from the bucket is dropped.
 *
 * @param before - as the last pass left it; undefined: everything is read
 * @throws AgentError where the bucket cannot be listed: what is not known then is not taken for missing
 */
export declare function readEvidence(
  deps: FleetDeps,
  before: FleetState | undefined,
  options: PassOptions,
): Promise<ReadonlyMap<string, HostHistory>>
