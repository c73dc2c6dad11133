import { mkdtempSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'

/** A new directory that nobody but us can change, nor any above it: /tmp is everybody's. */
export function makeTrustedDirectory(): string {
  return mkdtempSync(join(userInfo().homedir, '.snapstream-test-'))
}
