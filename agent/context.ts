import type { RetrievalTier } from './contract'
import type { Ec2 } from './ec2'
import type { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

/** Progress and warnings go to standard error, never to standard output: that is for the summary. */
export interface Log {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
}

/** All that the agent needs from outside. */
export interface Deps {
  readonly host: Host
  readonly store: Store
  readonly log: Log
  readonly now: () => Date
  /** Aborted on SIGTERM and SIGINT, and at the deadline. */
  readonly signal: AbortSignal
  /** Aborted just before `signal` where it is `--deadline` that ends the command: that was foreseen. */
  readonly deadline?: AbortSignal
  /** EC2, or undefined where this is no instance of it. Made when first asked for. Absent where nothing asks. */
  readonly connectEc2?: () => Promise<Ec2 | undefined>
}

/** What needs no bucket. */
export type HostDeps = Omit<Deps, 'store'>

/** What needs nothing but the bucket. */
export type StoreDeps = Omit<Deps, 'host' | 'deadline'>

export interface RetrievalOptions {
  readonly tier: RetrievalTier
  /** How long the readable copy stays. */
  readonly days: number
}

/** A command line: the program, then its arguments. Never joined into a string, never given to a shell. */
export type Argv = readonly [program: string, ...args: string[]]

export interface RunOptions {
  /** Added to the command's environment, which otherwise is PATH, HOME and LC_ALL=C. */
  readonly environment?: Readonly<Record<string, string>>
  /** For `run` and `attempt`: after this, the command gets SIGKILL, and what it left behind is not waited for. */
  readonly timeoutSeconds?: number
  /** At its timeout, it is not killed but left to itself: for what must not end half-way. */
  readonly leaveRunning?: boolean
  /** For `attempt`: how long after the command's end its output is read on, where what it left behind keeps that open. */
  readonly outputSeconds?: number
  /** Given to the command as descriptors 3, 4, … */
  readonly descriptors?: readonly number[]
}

export interface StartOptions extends Omit<RunOptions, 'timeoutSeconds' | 'leaveRunning' | 'outputSeconds'> {
  readonly stdout?: number | Socket
  /** Told of all that it writes to standard error, as it comes. */
  readonly onStderr?: (chunk: Buffer) => void
  /** Whether it may outlive us: what kills our process group does not reach it. */
  readonly ownSession?: boolean
  /** Called where it was killed and does not end: it still has what it was given. */
  readonly onHang?: () => void
}

/** How a command ended: what it wrote, and its status. */
export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  /** Null where it was killed. */
  readonly status: number | null
  readonly killedBy: NodeJS.Signals | null
  /** It is still there: killed but waiting for a device, or left running. */
  readonly hangs?: true
}

/** A running command whose pipes the caller serves. */
export interface RunningCommand {
  readonly stdin: Writable
  readonly stdout: Readable
  /**
   * Resolves when the command has exited with status 0 and its pipes are closed. Must be awaited: a stream has
   * succeeded when its process exited with 0, not when it ended. Once killed, it settles within seconds, whether the
   * process has gone or not.
   *
   * @throws AgentError COMMAND_FAILED with the end of standard error, or INTERRUPTED
   */
  readonly succeeded: Promise<void>
  /** What it has written to standard error so far: at most the last 4 KiB. */
  stderrTail(): string
  kill(): void
}

/** The one place that runs commands. Two implementations: this host, and the tests' table of answers. */
export interface Host {
  /**
   * Runs a command to its end and returns its standard output. Interrupted or out of time, it returns within seconds,
   * whether the command has gone or not.
   *
   * @throws AgentError COMMAND_FAILED unless it exits with 0 or if it cannot be started, TOOL_MISSING if it is not
   * installed, INTERRUPTED
   */
  run(argv: Argv, signal: AbortSignal, options?: RunOptions): Promise<string>
  /** As `run`, but any status is a result: for commands whose status is an answer. */
  attempt(argv: Argv, signal: AbortSignal, options?: RunOptions): Promise<CommandResult>
  /** Starts a command with pipes at its standard input and output, or with a given standard output. */
  start(argv: Argv, signal: AbortSignal, options?: StartOptions): RunningCommand
}

/** An unfinished multipart upload. */
export interface UploadRef {
  readonly key: string
  readonly uploadId: string
}

export interface ListedUpload extends UploadRef {
  /** By the server's clock; absent where it does not say. */
  readonly initiated?: Date
}

export interface ObjectInfo {
  readonly key: string
  readonly sizeBytes: number
  readonly lastModified: Date
  /** `STANDARD` where S3 says nothing. */
  readonly storageClass: string
  /** Of an object that was deleted: the version to read, the newest that is left. Such are listed only where asked for. */
  readonly deletedVersion?: string
}

export interface ObjectHead extends ObjectInfo {
  /** CRC32 of the whole object, where the server keeps one. */
  readonly crc32?: number
  /** Present while or after an archived object is restored. */
  readonly restore?: { readonly ongoing: boolean; readonly expires?: Date }
}

/** A whole object, and when S3 says that it was written. */
export interface WholeObject {
  readonly body: Buffer
  readonly lastModified: Date
}

export interface FinishedPart {
  readonly partNumber: number
  readonly etag: string
  readonly crc32: number
}

export interface PutOptions {
  readonly contentType?: string
}

export interface CompleteOptions {
  readonly sizeBytes: number
  /** CRC32 of the whole object; S3 compares it with what it stored. */
  readonly crc32: number
}

/** What is known of an object that was completed. */
export interface Completion {
  /** The server says which CRC32 the whole object has, and it is that of what was sent. Else only its size is known. */
  readonly confirmed: boolean
}

export interface RangeReadOptions {
  readonly versionId?: string | undefined
  /** Over no connection that has been used before: where what came over one was wrong, it may be the way that is broken. */
  readonly freshConnection?: boolean
}

export interface ListOptions {
  /** Also what was deleted and of which a version is left. Asks for the permission `s3:ListBucketVersions`. */
  readonly includeDeleted?: boolean
}

export interface ObjectListOptions extends ListOptions {
  /** Only what comes after this key, whether there is an object of it or not. */
  readonly startAfter?: string
}

/** Who the credentials belong to and what the bucket is like. */
export interface BucketFacts {
  readonly region: string
  readonly versioning: 'Enabled' | 'Suspended' | 'Off' | 'unknown'
  /** The server's clock minus ours. */
  readonly clockSkewSeconds: number
}

/**
 * S3 as the agent uses it. Nothing is ever overwritten: `put` and `completeUpload` fail with OBJECT_EXISTS where the
 * key is taken. Objects are read as they are now, or as the version that is named. All calls throw AgentError only.
 */
export interface Store {
  readonly bucket: string
  put(key: string, body: string | Uint8Array, signal: AbortSignal, options?: PutOptions): Promise<void>
  /**
   * A whole small object.
   * @param bytesMax - of what is larger nothing is read: anybody may have put it there
   * @throws AgentError OBJECT_MISSING, ARCHIVE_DAMAGED (larger)
   */
  get(key: string, bytesMax: number, signal: AbortSignal, versionId?: string): Promise<WholeObject>
  /**
   * `bytes` bytes from `offset`, as one buffer.
   * @throws AgentError OBJECT_MISSING, OBJECT_ARCHIVED (must be restored from Glacier first), ARCHIVE_DAMAGED (shorter)
   */
  getRange(key: string, offset: number, bytes: number, signal: AbortSignal, options?: RangeReadOptions): Promise<Buffer>
  head(key: string, signal: AbortSignal, versionId?: string): Promise<ObjectHead>
  /** In key order. */
  list(prefix: string, signal: AbortSignal, options?: ObjectListOptions): AsyncIterable<ObjectInfo>
  /** What keys go on with after the prefix, up to the next slash and without it: each once, in order. */
  listFolders(prefix: string, signal: AbortSignal, options?: ListOptions): AsyncIterable<string>
  createUpload(key: string, storageClass: string | undefined, signal: AbortSignal): Promise<UploadRef>
  /** The body must not change until this settles: it is read again when the SDK retries. */
  uploadPart(
    upload: UploadRef,
    partNumber: number,
    body: Uint8Array,
    crc32: number,
    signal: AbortSignal,
  ): Promise<FinishedPart>
  /** @throws AgentError OBJECT_EXISTS, CHECKSUM_MISMATCH */
  completeUpload(
    upload: UploadRef,
    parts: readonly FinishedPart[],
    options: CompleteOptions,
    signal: AbortSignal,
  ): Promise<Completion>
  /** Succeeds too where the upload is gone already. */
  abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void>
  listUploads(prefix: string, signal: AbortSignal): AsyncIterable<ListedUpload>
  readFacts(signal: AbortSignal): Promise<BucketFacts>
  /** Asks for a readable copy of an archived object. Succeeds too where one was asked for already. */
  retrieve(key: string, options: RetrievalOptions, signal: AbortSignal, versionId?: string): Promise<void>
}
