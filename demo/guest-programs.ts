import { build } from 'esbuild'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Paths of the demo's own programs, which the guest sees as it sees all of the host. */
export interface GuestPrograms extends AsyncDisposable {
  readonly applyMetadata: string
  readonly write: string
}

export async function bundlePrograms(): Promise<GuestPrograms> {
  const directory = await mkdtemp(join(tmpdir(), 'snapstream-demo-'))
  await build({
    entryPoints: ['apply-metadata', 'write'].map((name) => join(__dirname, 'guest', `${name}.ts`)),
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  })
  return {
    applyMetadata: join(directory, 'apply-metadata.cjs'),
    write: join(directory, 'write.cjs'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}
