/** Goes through a filesystem in tar's order, looking at every entry without opening it, on a thread of its own. */
import { Worker } from 'node:worker_threads'
import { AgentError } from '../errors'
import type { DirectoryTags, TaggedDirectories } from '../tar/tags'
import type { Walked } from './walked'

/** What to go through. */
export interface Tree {
  readonly directory: string
  /** As `tarCreate` takes them. */
  readonly excludes: readonly string[]
  /** None unless told. */
  readonly tags?: DirectoryTags
}

/** Releasing it ends the thread. */
export interface Walk extends AsyncDisposable {
  /**
   * In the order of tar's `--sort=name`: what tar would archive, and nothing of other filesystems but the directories that
   * they are mounted on.
   *
   * @throws AgentError COMMAND_FAILED where something cannot be looked at, and with it nobody knows what has changed
   */
  batches(): AsyncGenerator<readonly Walked[], void, undefined>
  /** Directories whose contents were passed over. @throws RangeError before the walk has come to its end */
  tagged(): TaggedDirectories
}

/** `workerData` of the thread. */
export interface WalkTask {
  readonly role: 'walk'
  readonly tree: Tree
  /** How many batches the main thread has taken: the walk waits where it is too far ahead. */
  readonly taken: SharedArrayBuffer
}

export type WalkAnswer =
  /** Keys and facts by turns, with slashes between: neither has any. */
  { readonly batch: string } | { readonly done: true; readonly tagged: TaggedDirectories } | { readonly error: string }

export function walkTree(tree: Tree, signal: AbortSignal): Walk {
  const taken = new SharedArrayBuffer(4)
  const task: WalkTask = { role: 'walk', tree, taken }
  // The agent is one file: the thread runs it again, and `main` sees by the task that it is to walk.
  const thread = new Worker(__filename, { workerData: task, resourceLimits: { maxYoungGenerationSizeMb: 8 } })
  const answers: WalkAnswer[] = []
  let tagged: TaggedDirectories | undefined
  let wake: () => void = () => undefined
  const take = (answer: WalkAnswer): void => {
    answers.push(answer)
    wake()
  }
  const end = (cause: unknown): void => take({ error: `the thread that does it ended: ${String(cause)}` })
  const stop = (): void => take({ error: 'it was interrupted' })
  thread.on('message', take)
  thread.on('error', end)
  thread.on('exit', end)
  signal.addEventListener('abort', stop)

  return {
    async *batches() {
      for (;;) {
        signal.throwIfAborted()
        const answer = answers.shift()
        if (!answer) await new Promise<void>((resolve) => (wake = resolve))
        else if ('done' in answer) {
          tagged = answer.tagged
          return
        } else if ('error' in answer) throw cannotWalk(tree, answer.error)
        else {
          yield parseBatch(answer.batch)
          Atomics.add(new Int32Array(taken), 0, 1)
          Atomics.notify(new Int32Array(taken), 0)
        }
      }
    },
    tagged() {
      if (!tagged) throw new RangeError('the walk has not come to its end')
      return tagged
    },
    async [Symbol.asyncDispose]() {
      signal.removeEventListener('abort', stop)
      await thread.terminate()
    },
  }
}

function parseBatch(batch: string): Walked[] {
  const texts = batch.split('/')
  const walked: Walked[] = []
  for (let at = 0; at + 1 < texts.length; at += 2)
    walked.push({ key: texts[at] as string, facts: texts[at + 1] as string })
  return walked
}

function cannotWalk({ directory }: Tree, reason: string): AgentError {
  return new AgentError('COMMAND_FAILED', `what is in ${directory} could not be looked at: ${reason}`, {
    hint: 'Run the backup again with --level full, and look into the kernel log: the filesystem may be damaged.',
  })
}
