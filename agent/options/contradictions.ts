/** Options that make sense alone, and not together. */
import { ARCHIVE_STORAGE_CLASSES } from '../contract'
import { flagOf, OPTIONS } from './table'
import type { AnyRequest, BackupRequest, DrillRequest, ListRequest } from './commands'

export interface Contradiction {
  readonly what: string
  /** One sentence or two. */
  readonly fix: string
}

/** The first, if there are any. */
export function findContradiction(request: AnyRequest): Contradiction | undefined {
  if ('volumes' in request && request.volumes.length > 0 && request.excludeVolumes.length > 0) {
    return {
      what: '--volumes and --exclude-volumes are both given',
      fix: 'Name the volumes to back up, or those to leave out.',
    }
  }
  if ('at' in request && request.run !== undefined && request.at !== undefined) {
    return {
      what: '--run and --at are both given',
      fix: 'Name the run, or give a time by which it had started.',
    }
  }
  if ('source' in request) {
    const found = findInSources(request.source)
    if (found) return found
  }
  if (request.command === 'backup') return findInBackup(request)
  if (request.command === 'list') return findInList(request)
  if (request.command === 'drill') return findInDrill(request)
  return undefined
}

function findInSources(sources: readonly string[]): Contradiction | undefined {
  const wholes = sources.filter((source) => !source.includes('='))
  const mountPoints = sources.filter((source) => source.includes('=')).map((source) => source.replace(/=[^=]*$/, ''))
  const twice = mountPoints.find((mountPoint, index) => mountPoints.indexOf(mountPoint) < index)
  if (wholes.length <= 1 && twice === undefined) return undefined
  return {
    what: `--source is given twice for ${twice ?? 'all filesystems'}`,
    fix: 'Name one source for all of them, and at most one for each mount point: --source auto,/srv=ebs.',
  }
}

function findInBackup({ verify, sample, storageClass }: BackupRequest): Contradiction | undefined {
  const readsBack = verify === 'stream' || verify === 'source'
  if (readsBack && storageClass !== undefined && ARCHIVE_STORAGE_CLASSES.has(storageClass)) {
    return {
      what: `--verify ${verify} cannot read back what --storage-class ${storageClass} has archived`,
      fix: 'Use --verify checksum, or leave it to the lifecycle rules of the bucket to archive the objects later.',
    }
  }
  if (sample !== undefined && verify !== 'source') {
    return {
      what: `--sample is given, and --verify ${verify} compares nothing with the source`,
      fix: 'Give --verify source too, or leave --sample out.',
    }
  }
  return undefined
}

/** Runs, volumes and paths are those of one host. */
function findInDrill(request: DrillRequest): Contradiction | undefined {
  if (request.host === undefined) {
    const { run, volume, path } = request
    const given = [run !== undefined && '--run', volume.length > 0 && '--volume', path.length > 0 && '--path'].find(
      Boolean,
    )
    if (given)
      return { what: `${given} is given, and no host`, fix: 'Say of which host, with --host, or leave it out.' }
  }
  if (request.share && request.path.length > 0) {
    return { what: '--share and --path are both given', fix: 'Name the paths to restore, or a share of everything.' }
  }
  return undefined
}

/** What concerns runs means nothing where none are listed. */
function findInList(request: ListRequest): Contradiction | undefined {
  if (!request.debris) return undefined
  if (request.hosts) {
    return { what: '--hosts and --debris are both given', fix: 'List the hosts first, then the debris of one: --host.' }
  }
  const given = (['limit', 'includeDeleted', 'trustTimes'] as const).find(
    (name) => request[name] !== OPTIONS[name].default,
  )
  return (
    given && {
      what: `--debris and ${flagOf(given)} are both given`,
      fix: `${flagOf(given)} is about runs, and --debris lists objects that belong to none.`,
    }
  )
}
