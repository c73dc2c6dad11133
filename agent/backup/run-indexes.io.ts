/** The indexes that a run makes of its full archives. A backup is as good without: nothing that goes wrong here concerns it. */
import { describeError } from '../errors'
import { draftIndex, type IndexDraft, type IndexHeader, type IndexPlace } from '../changes/index.io'
import { walkTree, type Tree } from '../changes/walk.io'

/** Releasing them leaves those of before, unless they were kept. */
export interface RunIndexes extends AsyncDisposable {
  /** Of a volume whose full archive is about to be made. */
  draft(className: string, volume: string): Promise<VolumeIndex>
  /** Once the run counts: the next ones go by what is complete. */
  keep(): Promise<void>
}

export interface VolumeIndex {
  /** Takes the catalog, piece by piece as it is stored. */
  readonly takeCatalog: (piece: Uint8Array) => Promise<void>
  /** Once the archive is proved, and while the snapshot is there. */
  complete(header: IndexHeader, tree: Tree, signal: AbortSignal): Promise<void>
}

/**
 * @param tell - of an index that is not kept, and why
 * @param directory - where they are kept: the usual one unless told
 */
export function runIndexes(tell: (message: string) => void, directory?: string): RunIndexes {
  const drafts = new AsyncDisposableStack()
  const complete: (readonly [volume: string, draft: IndexDraft])[] = []

  /** The first failure counts; nothing is tried after it. */
  const draftOf = (volume: string, draft: IndexDraft | undefined): VolumeIndex => {
    let isGood = draft !== undefined
    const attempt = async (step: (draft: IndexDraft) => Promise<void>): Promise<void> => {
      if (!draft || !isGood) return
      try {
        await step(draft)
      } catch (error) {
        isGood = false
        tell(notKept(volume, error))
      }
    }
    return {
      takeCatalog: (piece) => attempt(({ takeCatalog }) => takeCatalog(piece)),
      complete: (header, tree, signal) =>
        attempt(async (open) => {
          await using walk = walkTree(tree, signal)
          await open.complete(header, walk)
          complete.push([volume, open])
        }),
    }
  }

  return {
    async draft(className, volume) {
      try {
        const place: IndexPlace = { class: className, volume, ...(directory !== undefined && { directory }) }
        return draftOf(volume, drafts.use(await draftIndex(place)))
      } catch (error) {
        tell(notKept(volume, error))
        return draftOf(volume, undefined)
      }
    },
    async keep() {
      for (const [volume, draft] of complete) await draft.keep().catch((error: unknown) => tell(notKept(volume, error)))
    },
    async [Symbol.asyncDispose]() {
      await drafts.disposeAsync().catch((error: unknown) => tell(describeError(error).join('\n')))
    },
  }
}

function notKept(volume: string, error: unknown): string {
  const why = error instanceof Error ? error.message : String(error)
  return `${volume}: no index of its full archive is kept, and the next archive goes by the one before, if any: ${why}`
}
