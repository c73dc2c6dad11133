import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentError } from '../errors'

/** A directory that nobody else can enter. Releasing it removes it, with what is in it. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string
}

/** @throws AgentError TARGET_UNFIT where there is no place for one that can be written to */
export async function takeTemporaryDirectory(inside: string = tmpdir()): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(inside, 'snapstream-')).catch((cause: unknown) => {
    throw new AgentError('TARGET_UNFIT', `no temporary directory can be made in ${inside}: ${String(cause)}`, {
      hint: 'Make room there, or set TMPDIR to a directory on another filesystem.',
      cause,
    })
  })
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
