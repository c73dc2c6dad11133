import type { Compression, RunKey } from '../agent/contract'

/** The run that holds the restore benchmark's archive of this compression. */
export function runKeyOf(compression: Compression): RunKey {
  return { class: 'bench', host: 'bench', run: `20260131T020000Z-${compression.padEnd(6, 'a')}` }
}
