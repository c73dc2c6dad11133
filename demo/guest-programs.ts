import { build } from 'esbuild'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Paths of the demo's own programs, which the guest sees as it sees all of the host. */
export interface GuestPrograms extends AsyncDisposable {
  readonly dress: string
  readonly write: string
}

export async function bundlePrograms(): Promise<GuestPrograms> {
  const directory = await mkdtemp(join(tmpdir(), 'snapstream-demo-'))
  await build({
    entryPoints: ['dress', 'write'].map((name) => join(__dirname, 'guest', `${name}.ts`)),
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node24',
    logLevel: 'warning',
  })
  return {
    dress: join(directory, 'dress.cjs'),
    write: join(directory, 'write.cjs'),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  }
}
