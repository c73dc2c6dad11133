import { RUN_PATTERN } from '../contract'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const SUFFIX_LENGTH = 6

/** `YYYYMMDDTHHMMSSZ`: sorts by time, needs no escaping in a key. */
export function formatTime(time: Date): string {
  return time.toISOString().replace(/[-:]|\.\d+/g, '')
}

/** @param random - at least six random bytes */
export function formatRun(time: Date, random: Uint8Array): string {
  const suffix = Array.from(random.subarray(0, SUFFIX_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join('')
  return `${formatTime(time)}-${suffix}`
}

/** When a run started, or undefined where the text is not a run's name. */
export function parseRunTime(run: string): Date | undefined {
  if (!new RegExp(RUN_PATTERN).test(run)) return undefined
  const time = new Date(
    run.replace(
      /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/,
      (_, y, mo, d, h, mi, s) => `${y}-${mo}-${d}T${h}:${mi}:${s}Z`,
    ),
  )
  // V8 takes 31 February for 3 March.
  return !Number.isNaN(time.getTime()) && run.startsWith(formatTime(time)) ? time : undefined
}
