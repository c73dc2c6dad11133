/** The closed list of what can go wrong, for programs. The message and the hint are for people. */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG_INVALID'
  | 'NOT_ROOT'
  | 'TOOL_MISSING'
  | 'TOOL_TOO_OLD'
  | 'BUSY'
  | 'INTERRUPTED'
  | 'COMMAND_FAILED'
  | 'OUTPUT_UNREADABLE'
  | 'NO_VOLUME'
  | 'UNKNOWN_VOLUME'
  | 'VOLUME_UNSUPPORTED'
  | 'SNAPSHOT_SPACE'
  | 'SNAPSHOT_INVALID'
  | 'MOUNT_FAILED'
  | 'HOOK_FAILED'
  | 'ARCHIVE_FAILED'
  | 'CLEANUP_FAILED'
  | 'BUCKET_MISSING'
  | 'BUCKET_REGION'
  | 'BUCKET_UNFIT'
  | 'ACCESS_DENIED'
  | 'NO_CREDENTIALS'
  | 'CREDENTIALS_EXPIRED'
  | 'ENDPOINT_UNREACHABLE'
  | 'CLOCK_SKEW'
  | 'OBJECT_EXISTS'
  | 'OBJECT_MISSING'
  | 'OBJECT_ARCHIVED'
  | 'CHECKSUM_MISMATCH'
  | 'STORE_FAILED'
  | 'UNKNOWN_RUN'
  /** S3 has it from another time than it says. */
  | 'MISDATED'
  | 'UNKNOWN_PATH'
  | 'FORMAT_UNSUPPORTED'
  | 'ARCHIVE_DAMAGED'
  | 'TARGET_UNFIT'
  | 'VERIFY_FAILED'
  | 'INCOMPLETE'
  /** Nobody foresaw it: a defect of the agent. */
  | 'INTERNAL'

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
