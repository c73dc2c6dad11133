import type { Log } from '../../agent/context'

export const silentLog: Log = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Keeps the warnings, and nothing else. */
export function logWarnings(warnings: string[]): Log {
  return { ...silentLog, warn: (message) => void warnings.push(message) }
}
