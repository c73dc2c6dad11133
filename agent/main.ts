/** The file that is run: by Node as the agent, and by the agent as the thread that inspects archives and as the hooks' guard. */
import { runGuardIfAsked } from './io/hooks-guard'
import { runInspectorIfAsked } from './io/inspector-thread'

// Loaded only where it is needed: the others have no use for the S3 client, nor for the memory that it takes.
if (!runInspectorIfAsked() && !runGuardIfAsked()) void import('./cli')
