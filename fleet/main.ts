/** The file that is run: by Node as the operators' program, and by that as a thread which parses manifests. */
import { runManifestParserIfAsked } from './evidence/parser-thread.io'

// Loaded only where it is needed: a thread has no use for it.
if (!runManifestParserIfAsked()) void import('./cli')
