/** Remembers on this host which part of each volume is to be compared next. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { SAMPLES_FILE } from '../contract'
import {
  advanceRotation,
  formatRotation,
  parseRotation,
  planSamples,
  type Rotation,
  type Sample,
  type SampledVolume,
} from './sample'
import type { Fraction } from '../options/types'
import type { Log } from '../context'

/** What one run compares of each volume. */
export interface SampleSchedule {
  /** By volume; empty where nothing is compared, or everything. */
  readonly samples: ReadonlyMap<string, Sample>
  /** To be called once the run counts, so that the next one compares what comes next. */
  end(backedUp: readonly SampledVolume[]): Promise<void>
}

/**
 * Finds whose turn it is. Where that is not known, all volumes start with their first part again, with a warning; where it
 * cannot be remembered, the same parts come again, with a warning. Neither is an error.
 */
export async function nextSample(
  log: Log,
  volumes: readonly string[],
  fraction: Fraction | undefined,
  file: string = SAMPLES_FILE,
): Promise<SampleSchedule> {
  if (!fraction) return { samples: new Map(), end: () => Promise.resolve() }
  const rotation = await readRotation(log, file)
  return {
    samples: planSamples(rotation, volumes, fraction),
    end: (backedUp) => writeRotation(log, file, advanceRotation(rotation, backedUp)),
  }
}

async function readRotation(log: Log, file: string): Promise<Rotation> {
  const startAnew = (why: string): Rotation => {
    log.warn(`${file} ${why}: comparing the first part of each volume`)
    return {}
  }
  try {
    return parseRotation(await readFile(file, 'utf8')) ?? startAnew('is damaged')
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return startAnew(isMissing ? 'is not there (yet)' : `cannot be read, ${String(error)}`)
  }
}

/** Replaces the file whole, or not at all. */
async function writeRotation(log: Log, file: string, rotation: Rotation): Promise<void> {
  const unfinished = `${file}.new` // one run at a time: a killed one's is overwritten
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeDurably(unfinished, formatRotation(rotation))
    await rename(unfinished, file)
  } catch (error) {
    log.warn(`${file} cannot be written, the next run will compare the same parts: ${String(error)}`)
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'w', 0o600)
  await handle.writeFile(text)
  await handle.sync()
}
