/** Makes of a manifest's text what is kept of it: on whichever thread. */
import { parseManifest } from '../../agent/run/parse-manifest'
import { AgentError } from '../../agent/errors'
import type { RunKey } from '../../agent/contract'
import type { RunState } from '../model/records'
import { summarize, type Summary, type Wanted } from './summarize'

/** A manifest that cannot be used, and why. */
export interface Unusable {
  readonly state: Extract<RunState, 'unreadable' | 'unsupported'>
  readonly problem: string
  /** It may be good: something kept it from being read. */
  readonly unread?: true
}

/** Believes of it what `parseManifest` does. */
export function summarizeText(json: string, runKey: RunKey, wanted: Wanted): Summary | Unusable {
  try {
    return summarize(parseManifest(json, runKey), wanted)
  } catch (error) {
    const isLater = error instanceof AgentError && error.code === 'FORMAT_UNSUPPORTED'
    return { state: isLater ? 'unsupported' : 'unreadable', problem: (error as Error).message }
  }
}
