/**
 * Remembers unfinished uploads in files, for volumes whose snapshot has no place for that: a host that may not list the bucket
 * can abort what a killed run left there.
 */
import { constants } from 'node:fs'
import { mkdir, open, readdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { Prefix, RUN_PATTERN, UPLOADS_DIRECTORY } from '../contract'
import type { Log, UploadRef } from '../context'
import { findWeakness } from '../host/trusted-path.io'
import { parseStrictJson } from '../lib/strict-json'
import { fileName, word } from '../lib/untrusted'
import type { SourceKind } from './record'

/** A volume has some uploads at a time, each of some hundred bytes: more than this nobody of ours has written (design limit). */
const FILE_BYTES_MAX = 4 * 1024 * 1024

const ENDING = '.jsonl'

const uploadLine = z.strictObject({
  key: word.regex(new RegExp(`^(${Prefix.data}|${Prefix.catalogs})/.`)),
  uploadId: word.min(1),
})

/** The volume of a run that uploads are of. */
export interface UploadsOwner {
  readonly kind: SourceKind
  readonly run: string
  /** Its name in keys. */
  readonly volume: string
}

export interface RememberedUploads extends UploadsOwner {
  readonly uploads: readonly UploadRef[]
}

/**
 * To be called before the first part is sent. What cannot be remembered is warned of and costs no backup: should the run be
 * killed too, the bucket's lifecycle rule ends that upload.
 *
 * @param directory - of this host alone
 */
export async function rememberUpload(
  log: Log,
  owner: UploadsOwner,
  { key, uploadId }: UploadRef,
  directory: string = UPLOADS_DIRECTORY,
): Promise<void> {
  const file = fileOf(owner, directory)
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const { O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants
    await using handle = await open(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600)
    // One write: uploads of one volume begin at the same time.
    await handle.appendFile(`${JSON.stringify({ key, uploadId })}\n`)
    await handle.sync()
  } catch (error) {
    log.warn(`the upload of ${key} cannot be remembered, should this run be killed: ${String(error)}`)
  }
}

/** To be called when they are completed or aborted, or somebody else has to see to it. Does nothing where there are none. */
export async function forgetUploads(
  log: Log,
  owner: UploadsOwner,
  directory: string = UPLOADS_DIRECTORY,
): Promise<void> {
  const file = fileOf(owner, directory)
  try {
    await rm(file, { force: true })
    // Its directories, as far as they are empty.
    await rmdir(dirname(file)).catch(() => undefined)
    await rmdir(dirname(dirname(file))).catch(() => undefined)
  } catch (error) {
    log.warn(`${file} cannot be removed: ${String(error)}`)
  }
}

/**
 * What killed runs left behind. A directory that others than root can change counts for nothing, and neither does a line that is
 * not one of ours: a power cut may have torn it.
 */
export async function findRememberedUploads(
  log: Log,
  kind: SourceKind,
  directory: string = UPLOADS_DIRECTORY,
): Promise<readonly RememberedUploads[]> {
  const place = join(directory, kind)
  const found: RememberedUploads[] = []
  try {
    const weakness = await findWeakness(place)
    if (weakness) {
      log.warn(`uploads of killed runs are not looked for: ${weakness.what} (${weakness.fix})`)
      return []
    }
    for (const file of await readdir(place, { recursive: true })) {
      const owner = parseName(kind, file)
      if (owner) found.push({ ...owner, uploads: await readUploads(log, join(place, file)) })
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      log.warn(`uploads of killed runs cannot be looked for: ${String(error)}`)
    }
  }
  return found
}

function fileOf({ kind, run, volume }: UploadsOwner, directory: string): string {
  return join(directory, kind, run, `${volume}${ENDING}`)
}

function parseName(kind: SourceKind, file: string): UploadsOwner | undefined {
  const [run = '', name = '', ...rest] = file.split('/')
  const volume = name.slice(0, -ENDING.length)
  const isOurs =
    rest.length === 0 &&
    new RegExp(RUN_PATTERN).test(run) &&
    name.endsWith(ENDING) &&
    fileName.safeParse(volume).success
  return isOurs ? { kind, run, volume } : undefined
}

async function readUploads(log: Log, file: string): Promise<readonly UploadRef[]> {
  if ((await stat(file)).size > FILE_BYTES_MAX) {
    log.warn(`${file} is too large to be ours`)
    return []
  }
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
  return lines.flatMap((line) => parseLine(line) ?? (log.warn(`${file} has a line that is no upload`), []))
}

function parseLine(line: string): UploadRef | undefined {
  try {
    return uploadLine.parse(parseStrictJson(line))
  } catch {
    return undefined
  }
}
