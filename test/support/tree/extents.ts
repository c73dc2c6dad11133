import { spawnSync } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Extent } from './entry'

/** Files given to one xfs_io, as open descriptors: far below the usual limit of 1,024. */
const BATCH_FILES = 128

/** xfs takes space that it only preallocated for data while the page cache has zeros of it: so out of the cache first. */
const SEEK = ['fsync', 'fadvise -d 0 0', 'seek -a -r 0'] as const

interface Candidate {
  readonly file: Buffer
  readonly sizeBytes: number
}

/**
 * Where files have data, by SEEK_DATA and SEEK_HOLE, in the order given: undefined for a file without a hole.
 *
 * Node cannot seek, so xfs_io does it (on ext4 as well), for many files at once. They reach it as descriptors: no name,
 * however hostile, is on its command line.
 */
export function readExtents(candidates: readonly Candidate[]): (readonly Extent[] | undefined)[] {
  const results: (readonly Extent[] | undefined)[] = []
  for (let at = 0; at < candidates.length; at += BATCH_FILES) {
    const batch = candidates.slice(at, at + BATCH_FILES)
    const maps = seekAll(batch.map(({ file }) => file))
    results.push(...batch.map(({ sizeBytes }, index) => withHoles(maps[index]!, sizeBytes)))
  }
  return results
}

/** Parses xfs_io's answers to `seek -a -r 0`, one for each file. @throws Error unless there are as many as files */
export function parseSeeks(output: string, files: number): (readonly Extent[])[] {
  const answers = output.split('Whence\tResult\n').slice(1)
  if (answers.length !== files) throw new Error(`xfs_io answered for ${answers.length} of ${files} files: ${output}`)
  return answers.map((answer) => {
    const offsets = answer.trimEnd().split('\n').map(parseOffset)
    const extents: Extent[] = []
    offsets.forEach(({ whence, offset }, index) => {
      const end = offsets[index + 1]
      if (whence === 'DATA' && offset !== 'EOF' && end && end.offset !== 'EOF') extents.push([offset, end.offset])
    })
    return extents
  })
}

function parseOffset(line: string): { whence: string; offset: number | 'EOF' } {
  const [, whence, offset] = /^(DATA|HOLE)\t(\d+|EOF)$/.exec(line) ?? []
  if (!whence || !offset) throw new Error(`not an answer of xfs_io: ${JSON.stringify(line)}`)
  return { whence, offset: offset === 'EOF' ? 'EOF' : Number(offset) }
}

function withHoles(extents: readonly Extent[], sizeBytes: number): readonly Extent[] | undefined {
  const [first] = extents
  const hasHole = extents.length !== 1 || first?.[0] !== 0 || first[1] < sizeBytes
  return hasHole && sizeBytes > 0 ? extents : undefined
}

function seekAll(files: readonly Buffer[]): (readonly Extent[])[] {
  const descriptors = files.map((file) => openSync(file, 'r'))
  try {
    const commands = files.flatMap((_, index) => [`open -r /proc/self/fd/${index + 3}`, ...SEEK, 'close'])
    const { status, stdout, stderr } = spawnSync(
      'xfs_io',
      commands.flatMap((command) => ['-c', command]),
      { stdio: ['ignore', 'pipe', 'pipe', ...descriptors], encoding: 'utf8' },
    )
    if (status !== 0 || stderr) throw new Error(`xfs_io exited with status ${String(status)}: ${stderr}`)
    return parseSeeks(stdout, files.length)
  } finally {
    descriptors.forEach((descriptor) => closeSync(descriptor))
  }
}
