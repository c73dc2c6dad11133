import { open, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AgentError } from '../errors'
import { formatBytes } from '../lib/text'
import { takeTemporaryDirectory } from './temporary-directory.io'

/** A file that nobody else can open, and that is gone with this process, however that ends. */
export interface UnlinkedFile extends AsyncDisposable {
  /** Of all that was appended. */
  readonly sizeBytes: number
  /** @throws AgentError TARGET_UNFIT where there is no room */
  append(piece: Buffer): Promise<void>
  read(offset: number, bytes: number): Promise<Buffer>
}

/**
 * @param expectedBytes - that there has to be room for now: what fills the disk half-way harms others too
 * @throws AgentError TARGET_UNFIT where there is no directory for it that can be written to, or too little room
 */
export async function openUnlinkedFile(inside?: string, expectedBytes = 0): Promise<UnlinkedFile> {
  const cannotKeep = (cause: unknown): never => refuse(inside, cause)
  await using directory = await takeTemporaryDirectory(inside)
  const { bavail, bsize } = await statfs(directory.path).catch(cannotKeep)
  if (bavail * bsize < expectedBytes)
    cannotKeep(`it takes ${formatBytes(expectedBytes)}, and ${formatBytes(bavail * bsize)} are free`)
  const file = await open(join(directory.path, 'file'), 'wx+', 0o600).catch(cannotKeep)
  let sizeBytes = 0
  return {
    get sizeBytes() {
      return sizeBytes
    },
    async append(piece) {
      await file.appendFile(piece).catch(cannotKeep)
      sizeBytes += piece.length
    },
    async read(offset, bytes) {
      const buffer = Buffer.allocUnsafeSlow(bytes)
      const { bytesRead } = await file.read(buffer, 0, bytes, offset)
      if (bytesRead === bytes) return buffer
      throw new RangeError(`there are only ${bytesRead} of ${bytes} bytes at ${offset}`)
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}

function refuse(inside: string | undefined, cause: unknown): never {
  throw new AgentError('TARGET_UNFIT', `a temporary file cannot be kept in ${inside ?? tmpdir()}: ${String(cause)}`, {
    hint: inside === undefined ? 'Set TMPDIR to a directory with room.' : 'Make room there.',
    cause,
  })
}
