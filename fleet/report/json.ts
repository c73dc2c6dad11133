/** The fleet for programs: what the page shows, as JSON. */
import { printableJson } from '../../agent/lib/printable'
import type { FleetView } from '../model/records'

/** Of `fleet.json`; a later one may add fields, and one that means something else raises it. */
export const FLEET_JSON_FORMAT = 1

/** One object, on one line. Times are seconds since 1970, by S3's clock. */
export function formatJson(view: FleetView): string {
  return `${printableJson({ format: FLEET_JSON_FORMAT, ...view })}\n`
}
