/** How what is not as it should be is told of, by whatever reads an archive. */
import { onPage } from '../pages'

/** Tells of something that is not as it should be. */
export type Report = (what: string, hint: string) => void

export const VERIFY_HINTS = {
  damaged:
    'Back the host up again now. Restore from an earlier run, or restore everything that is not damaged with "snapstream restore --best-effort".',
  catalog: `The archive itself can be restored by hand as ${onPage('restore-by-hand')} says. Back the host up again, and report this: it should not happen.`,
  catalogLost: `The data is checked without it, and a restore rebuilds it from the archive, slowly: see ${onPage('runbook', 'A catalog is gone')}. Back the host up again.`,
  unrestorable:
    'Snapstream does not write such archives: find out who has written to the bucket as this host, and back it up again.',
  undescribed: `Restore these by hand, as ${onPage('restore-by-hand')} says. Find out who wrote a manifest that does not mention them.`,
  source:
    'Back the volume up again. If it differs again, check the memory and the disks of this host, and whether something writes to snapshots.',
  missing:
    'Find out who deleted it. A version of it may still be there: --include-deleted reads it, with the credentials of the restorer role.',
} as const
