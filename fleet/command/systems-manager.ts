/** Run Command of Systems Manager, as the fleet's commands use it: types only. */

/** Which hosts a command goes to. */
export type CommandTargets =
  | { readonly kind: 'hosts'; readonly instanceIds: readonly string[] }
  /** Hosts that bear all of the tags, each with one of its values: looked up by Systems Manager. */
  | { readonly kind: 'tags'; readonly tags: readonly TargetTag[] }

export interface TargetTag {
  readonly key: string
  readonly values: readonly string[]
}

/** A command, ready to be sent. */
export interface CommandPlan {
  readonly document: string
  readonly targets: CommandTargets
  /** Each has been held against the pattern that its document has for it. */
  readonly parameters: Readonly<Record<string, string>>
  /** Hosts at the same time: a number, or a percentage of them. */
  readonly maxConcurrency: string
  /** Failures after which no more hosts are started: a number, or a percentage of them. */
  readonly maxErrors: string
  /** So long a host may be out of reach, before the command is given up for it. */
  readonly deliverySeconds: number
  /** Gets a copy of what the command prints, whole and as it comes. */
  readonly logGroup?: string
}

/** A command that was sent, as Systems Manager has it. All text is somebody else's. */
export interface SentCommand {
  readonly commandId: string
  readonly document: string
  readonly comment: string
  /** `StatusDetails`, which says more than `Status`. */
  readonly status: string
  /** Hosts, as far as they have been looked up: 0 at first, where tags name them. */
  readonly targetCount: number
  readonly requestedAt?: Date
  /** From then on it is given up for hosts that have not ended. */
  readonly expiresAt?: Date
  readonly logGroup?: string
}

/** A step of a document on a host. */
export interface StepResult {
  readonly name: string
  /** `StatusDetails`. */
  readonly status: string
  /** Absent where it has not ended. */
  readonly exitStatus?: number
  readonly startedAt?: Date
  /** The first 2,500 characters of what it printed; empty until it has ended. */
  readonly output: string
}

/** A command on a host. */
export interface Invocation {
  readonly instanceId: string
  /** What Systems Manager calls the host; empty where it does not say. */
  readonly name: string
  /** `StatusDetails`. */
  readonly status: string
  /** What the SSM agent says of it, where it refused the document. */
  readonly trace: string
  readonly steps: readonly StepResult[]
}

/** What a step printed: the first 24,000 characters of standard output, and 8,000 of standard error. Empty until it has ended. */
export interface StepOutput {
  readonly stdout: string
  readonly stderr: string
}

/** Two implementations: AWS's API, and the tests' stand-in for it. All calls throw AgentError only. */
export interface RunCommand {
  /**
   * Sends a command, once: there is nothing by which Systems Manager would know a repetition.
   *
   * @param comment - by which `findSent` finds it, where its answer was lost
   * @throws AgentError ENDPOINT_UNREACHABLE where it is not known whether it was sent
   */
  send(plan: CommandPlan, comment: string, signal: AbortSignal): Promise<SentCommand>
  /** The command of this document and comment that was sent since then. It may take a moment to show. */
  findSent(
    wanted: Pick<SentCommand, 'document' | 'comment'>,
    since: Date,
    signal: AbortSignal,
  ): Promise<SentCommand | undefined>
  /** Undefined where there is none, or not yet, or not any more: commands are kept for 30 days. */
  describe(commandId: string, signal: AbortSignal): Promise<SentCommand | undefined>
  listInvocations(commandId: string, signal: AbortSignal): AsyncIterable<Invocation>
  readOutput(commandId: string, instanceId: string, step: string, signal: AbortSignal): Promise<StepOutput>
  /** Starts it nowhere any more. Where it runs, Systems Manager stops waiting for it, and the agent goes on. */
  cancel(commandId: string, signal: AbortSignal): Promise<void>
}

/** What hosts print while a command runs, where its plan named a log group. All calls throw AgentError only. */
export interface CommandLog {
  /** The last line that a host wrote to standard error; undefined where there is none yet. */
  lastLine(
    wanted: {
      readonly logGroup: string
      readonly commandId: string
      readonly instanceId: string
      readonly since: Date
    },
    signal: AbortSignal,
  ): Promise<string | undefined>
}
