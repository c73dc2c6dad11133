/** The file that is run: by Node as the agent, and by the agent as the threads that inspect archives and
 * go through filesystems, and as the hooks' guard. */
import { runGuardIfAsked } from './hooks/guard.io'
import { runCatalogWorkerIfAsked } from './archive/catalog-worker-thread.io'
import { runWalkIfAsked } from './changes/walk-thread.io'

// Loaded only where it is needed: the others have no use for the S3 client, nor for the memory that it takes.
if (!runCatalogWorkerIfAsked() && !runWalkIfAsked() && !runGuardIfAsked()) void import('./cli')
