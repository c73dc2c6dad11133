/** Nights of one volume, archived as a backup does it: real archives and indexes, with LVM and S3 in the test's hands. */
import { tagsOf } from '../../agent/backup/choose-base.io'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunKey } from '../../agent/contract'
import type { Store } from '../../agent/context'
import { archiveSnapshot } from '../../agent/backup/archive-snapshot.io'
import type { Archived } from '../../agent/backup/records'
import { runIndexes } from '../../agent/backup/run-indexes.io'
import { mountSnapshot, surveyHost, takeSnapshots } from '../../agent/source/sources.io'
import { parseSourceChoice } from '../../agent/source/choice'
import { planSnapshots, snapshotRequest } from '../../agent/source/plan'
import { selectVolumes } from '../../agent/source/select'
import type { MountedSnapshot, SnapshotPlan } from '../../agent/source/source'
import { tarCreate, tarCreateListed } from '../../agent/tar/commands'
import { localDeps } from '../support/host-deps'
import { lvmHost } from '../support/lvm-host'
import { memoryStore, type MemoryStore } from '../support/memory-store'
import { requestOf } from '../support/request'
import { makeTrustedDirectory } from '../support/trusted-directory'

export interface Night {
  readonly runKey: RunKey
  readonly archived: Archived
  readonly logged: readonly string[]
}

/** What is different about a night. */
export interface NightOptions {
  readonly options?: readonly string[]
  readonly store?: Partial<Store>
  readonly mount?: Partial<MountedSnapshot>
  /** Nobody but tar sees the files. */
  readonly inPlace?: true
  readonly origin?: Partial<SnapshotPlan['origin']>
  /** The run is given up before its manifest is there. */
  readonly unpublished?: true
}

export interface Nights extends Disposable {
  /** What is archived. */
  readonly directory: string
  readonly indexes: string
  readonly store: MemoryStore
  next(night?: NightOptions): Promise<Night>
}

/** A directory of a hundred files, which nobody has changed for long; the nights are in the future. */
export function nightsOfVolume(): Nights {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-nights-'))
  const indexes = makeTrustedDirectory()
  const store = memoryStore()
  mkdirSync(join(directory, 'etc'))
  for (let index = 0; index < 100; index++) writeFileSync(join(directory, 'etc', `file ${index}`), 'x'.repeat(5000))
  const began = Date.now() + 60_000
  let night = 0
  return {
    directory,
    indexes,
    store,
    async next({ options = [], store: changed = {}, mount = {}, origin = {}, inPlace, unpublished } = {}) {
      const takenAt = new Date(began + ++night * 86_400_000)
      const runKey = { class: 'daily', host: 'db-1', run: `202601${String(night).padStart(2, '0')}T020000Z-k3xw7a` }
      const request = requestOf('backup', 'db-1', ...options)
      const local = localDeps()
      const deps = { ...local, host: lvmHost({ home: directory }), store: { ...store, ...changed } }
      const survey = await surveyHost(deps, parseSourceChoice([]))
      const wanted = { ...snapshotRequest(request, runKey), exclude: request.exclude, tags: tagsOf(request) }
      const [planned] = planSnapshots(survey, selectVolumes(survey, request).volumes, wanted)
      await using _snapshots = await takeSnapshots(deps, [planned!])
      const plan = { ...planned!, origin: { ...planned!.origin, uuid: 'u-1', ...origin } }
      await using lease = await mountSnapshot(deps, planned!)
      const mounted: MountedSnapshot = {
        source: lease.source,
        tar: tarCreate(directory, [], tagsOf(request)),
        ...(!inPlace && { tarListed: tarCreateListed(directory), tree: directory }),
        [Symbol.asyncDispose]: () => Promise.resolve(),
        ...mount,
      }
      await using kept = runIndexes((message) => deps.log.warn(message), indexes)
      const archived = await archiveSnapshot(deps, {
        ...{ request, runKey, plan, mount: mounted, takenAt, samples: new Map() },
        ...{ indexes: kept, indexDirectory: indexes, bandwidth: undefined },
        progress: { add: () => undefined, [Symbol.dispose]: () => undefined },
      })
      if (!unpublished) {
        await store.put(`manifests/daily/db-1/${runKey.run}.json`, '{}', deps.signal)
        await kept.keep()
      }
      return { runKey, archived, logged: local.logged }
    },
    [Symbol.dispose]: () => [directory, indexes].forEach((path) => rmSync(path, { recursive: true })),
  }
}
