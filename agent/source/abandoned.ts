import { RUN_SECONDS_MAX } from '../contract'
import type { ListedUpload } from '../context'

/**
 * Those that no run can still be at work on. Where the server does not say when one was begun, it is not.
 *
 * @param now - of the server's clock, in milliseconds
 */
export function selectAbandoned(uploads: readonly ListedUpload[], now: number): ListedUpload[] {
  return uploads.filter(({ initiated }) => initiated && now - initiated.getTime() > RUN_SECONDS_MAX * 1000)
}
