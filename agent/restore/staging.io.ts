/** A room of its own for what is being restored, on the filesystem where it will be. */
import { neverAborted } from '../lib/never-aborted'
import { randomBytes } from 'node:crypto'
import { fchownSync, readdirSync, rmdirSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { AgentError } from '../errors'
import { tarCreate, tarExtract } from '../tar/commands'
import type { HostDeps } from '../context'
import {
  codeOf,
  FIRST_DESCRIPTOR,
  inside,
  makeChild,
  openChild,
  pathOf,
  reasonOf,
  statOfDirectory,
  type Directory,
} from './directory.io'

/** Says whose it is, and by the process id whether that is still at work. */
const NAME = /^\.snapstream-restore-(\d+)-[0-9a-f]{8}$/
/** All that a staging directory has in it. */
const TREE = 'tree'

/** Nobody but root gets in. Releasing it removes it, with what is in it. */
export interface Staging extends AsyncDisposable {
  /** To extract into: its owner, mode and time may be anything. */
  readonly tree: Directory
}

/**
 * Makes a staging directory inside of another, and removes what killed restores have left there.
 *
 * @throws AgentError TARGET_UNFIT
 */
export async function takeStaging(deps: HostDeps, parent: Directory): Promise<Staging> {
  for (const name of readdirSync(pathOf(parent.fd))) {
    const owner = Number(NAME.exec(name)?.[1] ?? process.pid)
    if (owner === process.pid) continue
    using left = openStaging(parent, name)
    if (!left) continue
    if (isAlive(owner)) {
      // Numbers are given again: a directory that a killed restore has left would stay for ever, and nobody would learn of it.
      deps.log.warn(`${name} belongs to process ${owner}: unless that is a restore in progress, remove it`)
      continue
    }
    deps.log.warn(`removing ${name}, which a killed restore left behind`)
    await remove(deps, parent, name, left)
  }
  const name = `.snapstream-restore-${process.pid}-${randomBytes(4).toString('hex')}`
  const top = make(parent, name)
  const tree = make(top, TREE)
  return {
    tree,
    async [Symbol.asyncDispose]() {
      tree[Symbol.dispose]()
      await remove(deps, parent, name, top)
      top[Symbol.dispose]()
    },
  }
}

/** @throws AgentError TARGET_UNFIT */
function make(parent: Directory, name: string): Directory {
  try {
    const directory = makeChild(parent, name, 0o700)
    fchownSync(directory.fd, process.geteuid?.() ?? 0, process.getegid?.() ?? 0) // a set-group-id directory gives its own group
    return directory
  } catch (cause) {
    throw new AgentError('TARGET_UNFIT', `cannot make a directory to restore into: ${String(cause)}`, {
      hint: 'Choose a --target on a filesystem that can be written to.',
      cause,
    })
  }
}

/**
 * Undefined where it is no staging directory, whatever it is called: who may write to the parent can give that name to any
 * directory in it, root's own among them.
 */
function openStaging(parent: Directory, name: string): Directory | undefined {
  const directory = openIfDirectory(parent, name)
  if (!directory) return undefined
  const { uid, mode } = statOfDirectory(directory)
  const isClosed = uid === BigInt(process.geteuid?.() ?? 0) && (mode & 0o777n) === 0o700n
  if (isClosed && readdirSync(pathOf(directory.fd)).every((own) => own === TREE)) return directory
  directory[Symbol.dispose]()
  return undefined
}

function openIfDirectory(parent: Directory, name: string): Directory | undefined {
  try {
    return openChild(parent, name)
  } catch (error) {
    if (['ENOTDIR', 'ELOOP', 'ENOENT'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

/**
 * Whoever wants to stop: what is left would take as much room as what was restored. What is in it goes by its descriptor;
 * its name may be another directory's by then, which stays, as only an empty one goes.
 */
async function remove({ host, log }: HostDeps, parent: Directory, name: string, staging: Directory): Promise<void> {
  const path = `${pathOf(FIRST_DESCRIPTOR)}/${TREE}`
  const argv = ['rm', '--recursive', '--force', '--one-file-system', '--', path] as const
  const { status, stderr } = await host.attempt(argv, neverAborted(), { descriptors: [staging.fd] })
  try {
    if (status !== 0) throw new Error(stderr.trim())
    rmdirSync(inside(parent, name))
  } catch (error) {
    log.warn(`${name} could not be removed, the next restore tries again: ${reasonOf(error)}`)
  }
}

/**
 * Copies a tree to another filesystem, with all that tar keeps of it.
 *
 * @throws AgentError COMMAND_FAILED where not all of it could be, INTERRUPTED
 */
export async function copyTree({ host, signal }: HostDeps, from: Directory, to: Directory): Promise<void> {
  const place = pathOf(FIRST_DESCRIPTOR)
  const reading = host.start(tarCreate(place), signal, { descriptors: [from.fd] })
  reading.stdin.end()
  const writing = host.start(tarExtract(place), signal, { descriptors: [to.fd] })
  writing.stdout.resume()
  await pipeline(reading.stdout, writing.stdin).catch(() => reading.kill()) // the commands' own errors say why
  await Promise.all([writing.succeeded, reading.succeeded])
}
