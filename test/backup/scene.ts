/** Whole backups with real archives, into a store in memory: what LVM and S3 do is in the test's hands. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseManifestKey } from '../../agent/contract'
import { AgentError } from '../../agent/errors'
import type { Deps } from '../../agent/context'
import type { Manifest } from '../../agent/run/manifest'
import { parseManifest } from '../../agent/run/parse-manifest'
import type { Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { lvmHost, type LvmHost } from '../support/lvm-host'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'

export interface Scene extends Deps {
  readonly host: LvmHost
  readonly store: MemoryStore
  readonly logged: readonly string[]
  readonly indexDirectory: string
}

/** To be called at the top of a test file: `home`, `mail` and `srv`, each with a file in it. */
export function volumes(): { readonly directories: () => Record<string, string> } {
  let scratch: string
  let directories: Record<string, string>
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'backup-'))
    directories = Object.fromEntries(['home', 'mail', 'srv'].map((name) => [name, join(scratch, name)]))
    for (const directory of Object.values(directories)) {
      mkdirSync(directory)
      writeFileSync(join(directory, 'file'), directory.repeat(1000))
    }
  })
  afterAll(() => rmSync(scratch, { recursive: true }))
  return { directories: () => directories }
}

/** @param onComplete - called with the key of each object once it is complete */
export function sceneWith(
  directories: Readonly<Record<string, string>>,
  answers: Answers = {},
  signal = new AbortController().signal,
  onComplete: (key: string) => void = () => undefined,
): Scene {
  const store = memoryStore()
  const completing: MemoryStore = {
    ...store,
    async completeUpload(upload, ...rest) {
      const completion = await store.completeUpload(upload, ...rest)
      onComplete(upload.key)
      return completion
    },
  }
  const indexDirectory = join(directories['home'] ?? '', '..', 'indexes')
  return { ...localDeps(signal), host: lvmHost(directories, answers), store: completing, indexDirectory }
}

export const requested = (...options: readonly string[]) => requestOf('backup', 'db-1', ...options)

export function manifestIn({ objects }: MemoryStore): Manifest | undefined {
  const [key] = [...objects.keys()].filter((name) => name.startsWith('manifests/'))
  return key === undefined ? undefined : parseManifest(objects.get(key)!.body.toString(), parseManifestKey(key)!)
}

/** Tells a run to stop as soon as the archive of that volume is complete. */
export function stopAfterVolume(volume: string, name: 'deadline' | 'SIGTERM') {
  const [interruption, deadline] = [new AbortController(), new AbortController()]
  const stop = (key: string) => {
    if (!key.startsWith('catalogs/') || !key.includes(volume)) return
    if (name === 'deadline') deadline.abort()
    interruption.abort(new AgentError('INTERRUPTED', `stopped by ${name}`, { hint: 'Give it more time.' }))
  }
  return { stop, signal: interruption.signal, deadline: deadline.signal }
}
