/** The file that is run: by Node as the agent, and by the agent as the thread that inspects archives. */
import { runInspectorIfAsked } from './io/inspector-thread'

// Loaded only where it is needed: the thread has no use for the S3 client, nor for the memory that it takes.
if (!runInspectorIfAsked()) void import('./cli')
