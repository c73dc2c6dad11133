/** The catalogs that a restore goes by: each is read from the bucket once, or made again where it is lost. */
import { hasCode, isDataLoss } from '../errors'
import type { Archive } from '../archive/archive'
import { loadCatalog, type LoadedCatalog } from '../archive/load-catalog.io'
import { damagedCatalog, readCatalogText } from '../archive/read-catalog.io'
import type { ReaderDeps } from '../archive/read.io'
import type { ArchiveWithBase } from '../archive/whole-archive'
import type { Deps } from '../context'
import { formatCrc32 } from '../lib/crc32'
import { formatBytes } from '../lib/text'
import type { RestoreRequest } from '../options/commands'
import type { Outcome } from '../outcome'
import type { RestoreOutput } from './output-schema'
import type { Manifest, VolumeBackup } from '../run/manifest'
import { readSources, rebuildCatalog, type LostCatalog } from './rebuild-catalog.io'
import { retrieveAll } from './retrieve.io'

/** Gone from this host when they are released. */
export interface Catalogs extends AsyncDisposable {
  /** Lost ones cannot be made again before Glacier has brought their archives back. There are no catalogs then. */
  readonly waiting: Outcome<RestoreOutput> | undefined
  of(volume: VolumeBackup): LoadedCatalog
}

/**
 * @throws AgentError OBJECT_ARCHIVED; ARCHIVE_DAMAGED where a catalog is lost and cannot be made again; TARGET_UNFIT where
 * there is no room for them
 */
export async function loadCatalogs(
  deps: Deps,
  request: RestoreRequest,
  manifest: Manifest,
  volumes: readonly VolumeBackup[],
): Promise<Catalogs> {
  await using held = new AsyncDisposableStack()
  const catalogs = new Map<VolumeBackup, LoadedCatalog>()
  for (const volume of volumes) {
    const catalog = await loadUnlessLost(deps, volume)
    if (catalog) catalogs.set(volume, held.use(catalog))
  }
  const lost: LostCatalog[] = []
  await using bases = new AsyncDisposableStack()
  for (const volume of volumes.filter((each) => !catalogs.has(each))) {
    const base = volume.base && (await loadUnlessLost(deps, volume.base))
    lost.push({ volume, base: base && bases.use(base) })
  }
  const asked = request.dryRun ? { ...request, thaw: undefined } : request // a dry run changes nothing
  const waiting = await retrieveAll(deps, asked, await readSources(deps, lost))
  if (!waiting) {
    for (const { volume, base } of lost) {
      catalogs.set(volume, held.use(await rebuildCatalog(deps, manifest, volume, base)))
    }
  }
  const all = held.move()
  return {
    waiting,
    of(volume) {
      const catalog = catalogs.get(volume)
      if (catalog) return catalog
      throw new RangeError(`the catalog of ${volume.mountPoint} was not loaded`)
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

async function loadUnlessLost(deps: Deps, { archive, base }: ArchiveWithBase): Promise<LoadedCatalog | undefined> {
  try {
    await assertSaidToBeWhole(deps, archive)
    return await loadCatalog(deps, archive, base?.archive)
  } catch (error) {
    const loss = lossOf(error)
    if (!loss) throw error
    deps.log.warn(
      `the catalog ${archive.catalog.key} is ${loss}: rebuilding it from the archive, which reads all of it, ` +
        `${formatBytes(archive.storedBytes)}. If it was deleted, --include-deleted may be quicker`,
    )
    return undefined
  }
}

/** How a catalog is lost, without reading it where that can be; undefined where it is the one that the manifest names. */
export async function findCatalogLoss(deps: ReaderDeps, archive: Archive): Promise<'missing' | 'damaged' | undefined> {
  try {
    const { hasChecksum } = await assertSaidToBeWhole(deps, archive)
    if (hasChecksum) return undefined
    // A server that keeps no checksum leaves only reading it.
    const text = readCatalogText(deps, archive.catalog)
    while (!(await text.next()).done) continue
    return undefined
  } catch (error) {
    const loss = lossOf(error)
    if (loss) return loss
    throw error
  }
}

/**
 * Holds what the server says of a catalog against the manifest. The time that it says is compared too, by `withoutYounger`:
 * reading the catalog would not tell that.
 *
 * @throws AgentError OBJECT_MISSING, ARCHIVE_DAMAGED
 */
async function assertSaidToBeWhole(deps: ReaderDeps, { catalog }: Archive): Promise<{ readonly hasChecksum: boolean }> {
  const { sizeBytes, crc32 } = await deps.store.head(catalog.key, deps.signal)
  if (sizeBytes !== catalog.sizeBytes) {
    throw damagedCatalog(catalog.key, `has ${sizeBytes} bytes, the manifest says ${catalog.sizeBytes}`)
  }
  if (crc32 === undefined) return { hasChecksum: false }
  if (formatCrc32(crc32) === catalog.crc32) return { hasChecksum: true }
  throw damagedCatalog(catalog.key, `has CRC32 ${formatCrc32(crc32)}, the manifest says ${catalog.crc32}`)
}

function lossOf(error: unknown): 'missing' | 'damaged' | undefined {
  if (hasCode(error, 'OBJECT_MISSING')) return 'missing'
  return isDataLoss(error) ? 'damaged' : undefined
}
