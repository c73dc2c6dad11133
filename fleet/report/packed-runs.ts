/**
 * The runs of a host in one class as a text of 15 characters a run: 5,000 hosts have 175,000 runs, and the page that shows
 * them is one file. Read only when a row is shown.
 */
import { DEPTHS } from '../../agent/contract'
import type { RunRecord, RunState } from '../model/records'
import { isDamaged, isVerified } from '../model/runs'

/** What has been proven of a run. */
const STANDINGS = ['unverified', 'verified', 'damaged'] as const
export type Standing = (typeof STANDINGS)[number]

/** A run as the page shows it. Sizes are within 0.01 %, counts and durations within 1 %: the page shows no more digits. */
export interface PageRun {
  /** To the minute. */
  readonly writtenAt: number
  readonly state: RunState
  readonly standing: Standing
  /** The deepest that was looked, by whom ever. */
  readonly verified: (typeof DEPTHS)[number]
  readonly sizesOnly: boolean
  readonly rawBytes: number
  readonly storedBytes: number
  readonly entries: number
  readonly seconds: number
}

const STATES: readonly RunState[] = [
  'complete',
  'incomplete',
  'misdated',
  'unreadable',
  'unsupported',
  'objects-missing',
  'base-missing',
]
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const VALUE_OF = new Map(Array.from(DIGITS, (digit, value) => [digit, value]))
const RUN_CHARACTERS = 15
/** Sizes up to 2^50, a petabyte. */
const SIZE = { characters: 3, powerMax: 50 }
const SMALL = { characters: 2, powerMax: 40 }

/**
 * @param runs - newest first
 * @param at - in seconds; nothing is younger
 */
export function packRuns(runs: readonly RunRecord[], at: number): string {
  let before = minutes(at)
  return runs
    .map((run) => {
      const age = Math.max(0, before - minutes(run.writtenAt))
      before -= age
      return [
        toDigits(STATES.indexOf(run.state) * 8 + STANDINGS.indexOf(standingOf(run)) * 2 + (run.sizesOnly ? 1 : 0), 1),
        toDigits(depthOf(run), 1),
        toDigits(age, 3),
        toDigits(scaled(run.rawBytes, SIZE), SIZE.characters),
        toDigits(scaled(run.storedBytes, SIZE), SIZE.characters),
        toDigits(scaled(run.entries, SMALL), SMALL.characters),
        toDigits(scaled(run.seconds, SMALL), SMALL.characters),
      ].join('')
    })
    .join('')
}

/** What `packRuns` was given, newest first. */
export function unpackRuns(text: string, at: number): PageRun[] {
  let before = minutes(at)
  return Array.from({ length: Math.floor(text.length / RUN_CHARACTERS) }, (_, index) => {
    const start = index * RUN_CHARACTERS
    const read = (from: number, to: number) => fromDigits(text.slice(start + from, start + to))
    const first = read(0, 1)
    before -= read(2, 5)
    return {
      state: STATES[first >> 3] ?? 'unreadable',
      standing: STANDINGS[(first >> 1) & 3] ?? 'unverified',
      sizesOnly: (first & 1) === 1,
      verified: DEPTHS[read(1, 2)] ?? 'none',
      writtenAt: before * 60,
      rawBytes: unscaled(read(5, 8), SIZE),
      storedBytes: unscaled(read(8, 11), SIZE),
      entries: unscaled(read(11, 13), SMALL),
      seconds: unscaled(read(13, 15), SMALL),
    }
  })
}

function standingOf(run: RunRecord): Standing {
  return isDamaged(run) ? 'damaged' : isVerified(run) ? 'verified' : 'unverified'
}

function depthOf({ verified, verdict }: RunRecord): number {
  return Math.max(DEPTHS.indexOf(verified), verdict ? DEPTHS.indexOf(verdict.depth) : 0)
}

function minutes(seconds: number): number {
  return Math.floor(seconds / 60)
}

function toDigits(value: number, characters: number): string {
  let rest = Math.min(value, 64 ** characters - 1)
  let text = ''
  for (let place = 0; place < characters; place++) {
    text = (DIGITS[rest % 64] ?? '') + text
    rest = Math.floor(rest / 64)
  }
  return text
}

function fromDigits(text: string): number {
  return Array.from(text).reduce((value, digit) => value * 64 + (VALUE_OF.get(digit) ?? 0), 0)
}

interface Scale {
  readonly characters: number
  readonly powerMax: number
}

/** By logarithm, so that each magnitude is as exact as any other. */
function scaled(value: number, { characters, powerMax }: Scale): number {
  return Math.round((Math.log2(Math.max(0, value) + 1) / powerMax) * (64 ** characters - 1))
}

function unscaled(value: number, { characters, powerMax }: Scale): number {
  return Math.round(2 ** ((value / (64 ** characters - 1)) * powerMax) - 1)
}
