/** The file that is run: by Node as the agent, and by the agent as the thread that inspects archives and as the hooks' guard. */
import { runGuardIfAsked } from './hooks/guard.io'
import { runCatalogWorkerIfAsked } from './archive/catalog-worker-thread.io'

// Loaded only where it is needed: the others have no use for the S3 client, nor for the memory that it takes.
if (!runCatalogWorkerIfAsked() && !runGuardIfAsked()) void import('./cli')
