import type { Compression, RunPlace } from '../agent/contract'

/** The run that holds the restore benchmark's archive of this compression. */
export function placeOf(compression: Compression): RunPlace {
  return { class: 'bench', host: 'bench', run: `20260131T020000Z-${compression.padEnd(6, 'a')}` }
}
