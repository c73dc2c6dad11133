/** The closed list of what can go wrong, for programs: each with what it means. The message and the hint are for people. */
export const ERROR_CODES = {
  USAGE: 'The command line is wrong, or combines options that contradict each other.',
  CONFIG_INVALID: 'The configuration file or a variable is wrong, or users other than root can change the file.',
  NOT_ROOT: 'The command needs root.',
  TOOL_MISSING: 'A required program is not installed.',
  TOOL_TOO_OLD: 'A required program is too old.',
  BUSY: 'Another run holds the lock of this host.',
  INTERRUPTED: 'A signal or `--deadline` stopped the command.',
  COMMAND_FAILED: 'A program failed, or could not be started.',
  OUTPUT_UNREADABLE: 'The output of a program cannot be understood.',
  NO_VOLUME: 'There is no volume to back up.',
  UNKNOWN_VOLUME: 'A volume that was named does not exist.',
  VOLUME_UNSUPPORTED: 'A volume that was named cannot be backed up.',
  SNAPSHOT_SPACE: 'There is not enough room for the snapshots.',
  FREEZE_UNAVAILABLE: 'A filesystem cannot be held still, or not without the risk that it stays so.',
  SNAPSHOT_INVALID: 'A snapshot filled up or is no longer valid: what was read from it cannot be used.',
  VOLUME_BUSY: 'A filesystem that was to be read in place changed all the time, or packages were being installed.',
  MOUNT_FAILED: 'A snapshot could not be mounted.',
  HOOK_FAILED: 'A hook failed, took too long, or can be changed by users other than root.',
  ARCHIVE_FAILED: 'A volume could not be archived, or its archive could not be listed.',
  CLEANUP_FAILED: 'Something that belongs to a run could not be removed from the host.',
  BUCKET_MISSING: 'The bucket does not exist.',
  BUCKET_REGION: 'The bucket is in another region.',
  ACCESS_DENIED: 'The credentials do not allow it.',
  NO_CREDENTIALS: 'There are no credentials.',
  CREDENTIALS_EXPIRED: 'The credentials expired and were not renewed.',
  ENDPOINT_UNREACHABLE: 'S3, or something on the way to it, does not answer.',
  CLOCK_SKEW: 'The clocks of this host and of S3 differ too much.',
  OBJECT_EXISTS: 'An object that was to be written already exists. Nothing is overwritten.',
  OBJECT_MISSING: 'An object does not exist.',
  OBJECT_ARCHIVED: 'An object is in Glacier and has to be retrieved first.',
  CHECKSUM_MISMATCH: 'What arrived is not what was sent.',
  STORE_FAILED: 'S3 refused a request for another reason, or gave an impossible answer.',
  EC2_FAILED: 'EC2 refused a request, gave an impossible answer, or did not do in time what it was asked for.',
  SSM_FAILED: 'Systems Manager refused a request, or gave an impossible answer.',
  UNKNOWN_COMMAND: 'Systems Manager does not have the command, or not any more.',
  UNKNOWN_RUN: 'There is no such run.',
  UNKNOWN_HOST: 'No host of the fleet is called so, or several are.',
  MISDATED: "The time in a run's name is not the time at which S3 received the run.",
  UNKNOWN_PATH: 'A path is not in the backup.',
  FORMAT_UNSUPPORTED: 'It was written by a later version of the agent.',
  ARCHIVE_DAMAGED: 'What is stored is not what was written, or is nothing that an agent would write.',
  TARGET_UNFIT: 'The target does not allow the restore.',
  VERIFY_FAILED: 'What was read back is not what it should be.',
  INTERNAL: 'An unforeseen error: a defect of the agent.',
} as const
export type ErrorCode = keyof typeof ERROR_CODES

/**
 * The one error type of the agent.
 *
 * `message` says what happened, in lower case, without a full stop, with the value that was wrong; `hint` says what to
 * do, in whole sentences.
 */
export class AgentError extends Error {
  override readonly name = 'AgentError'
  readonly code: ErrorCode
  readonly hint: string

  constructor(code: ErrorCode, message: string, options: { readonly hint: string; readonly cause?: unknown }) {
    super(message, { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** An error as it was first thrown, and what its clean-up ran into afterwards. */
export interface Failure {
  readonly first: unknown
  readonly duringCleanup: readonly unknown[]
}

/**
 * Takes a failure apart: `await using` reports a failing release as a `SuppressedError` whose `suppressed` is the
 * original failure, so the original has to be dug out.
 */
export function unwrapFailure(error: unknown): Failure {
  if (!(error instanceof SuppressedError)) return { first: error, duringCleanup: [] }
  const { suppressed, error: later } = error as { suppressed: unknown; error: unknown }
  const inner = unwrapFailure(suppressed)
  return { first: inner.first, duringCleanup: [...inner.duringCleanup, later] }
}

/** Renders an error for the operator: the first failure first, then the failures of its clean-up. */
export function describeError(error: unknown): string[] {
  const { first, duringCleanup } = unwrapFailure(error)
  return [
    ...describeOne(first),
    ...duringCleanup.flatMap((later) => describeOne(later).map((line) => `during clean-up: ${line}`)),
  ]
}

function describeOne(error: unknown): string[] {
  if (error instanceof AgentError) return [error.message, `HINT: ${error.hint}`]
  return [error instanceof Error ? `${error.name}: ${error.message}` : String(error)]
}

/**
 * What says that something in the bucket is not there any more, or is not what was written there: an object that is gone,
 * bytes that do not match their checksum or do not mean anything, a body that is not what the server says it is. A run
 * that has it is still worth reading for the rest. All else keeps one from looking, and proves nothing of what is stored:
 * a server that is down, a permission that is missing, an object in Glacier.
 */
const DATA_LOSS: readonly ErrorCode[] = ['OBJECT_MISSING', 'ARCHIVE_DAMAGED', 'CHECKSUM_MISMATCH']

/** The one place that says what is damage. Does not look into failures of clean-up: those need somebody's attention. */
export function isDataLoss(error: unknown): error is AgentError {
  return error instanceof AgentError && DATA_LOSS.includes(error.code)
}

/** What keeps everything from being read, and not one object alone. */
const OF_ALL: readonly ErrorCode[] = [
  'INTERRUPTED',
  'NO_CREDENTIALS',
  'CREDENTIALS_EXPIRED',
  'ENDPOINT_UNREACHABLE',
  'BUCKET_MISSING',
  'BUCKET_REGION',
  'CLOCK_SKEW',
]

/**
 * An error as the matter of what was read, where others can be read nevertheless: whatever is wrong with one run must not
 * end a look at all of them.
 *
 * @throws unknown the error itself where it concerns all of them
 */
export function asLoss(error: unknown): AgentError {
  const { first } = unwrapFailure(error)
  if (!(first instanceof AgentError)) {
    const hint = 'Find out who wrote it, and use another run.'
    return new AgentError('ARCHIVE_DAMAGED', `it cannot be read: ${String(first)}`, { hint, cause: error })
  }
  if (OF_ALL.includes(first.code)) throw error
  return first
}

/** True if the error, or what it was before clean-up failed too, has this code. */
export function hasCode(error: unknown, code: ErrorCode): boolean {
  const { first } = unwrapFailure(error)
  return first instanceof AgentError && first.code === code
}
