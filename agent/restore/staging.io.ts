/** A room of its own for what is being restored, on the filesystem where it will be. */
import { neverAborted } from '../lib/never-aborted'
import { randomBytes } from 'node:crypto'
import { fchownSync, lstatSync, readdirSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { AgentError } from '../errors'
import { tarCreate, tarExtract } from '../tar/commands'
import type { HostDeps } from '../context'
import { FIRST_DESCRIPTOR, inside, makeChild, pathOf, type Directory } from './directory.io'

/** Says whose it is, and by the process id whether that is still at work. */
const NAME = /^\.snapstream-restore-(\d+)-[0-9a-f]{8}$/

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
    const owner = ownerOf(parent, name)
    if (owner === undefined || owner === process.pid) continue
    if (isAlive(owner)) {
      // Numbers are given again: a directory that a killed restore has left would stay for ever, and nobody would learn of it.
      deps.log.warn(`${name} is of process ${owner}: unless that is a restore which is under way, remove it`)
      continue
    }
    deps.log.warn(`removing ${name}, which a restore that was killed has left behind`)
    await remove(deps, parent, name)
  }
  const name = `.snapstream-restore-${process.pid}-${randomBytes(4).toString('hex')}`
  const top = make(parent, name)
  const tree = make(top, 'tree')
  return {
    tree,
    async [Symbol.asyncDispose]() {
      tree[Symbol.dispose]()
      // By its descriptor first: who may write to the parent may have given it another name.
      await remove(deps, top, 'tree')
      top[Symbol.dispose]()
      await remove(deps, parent, name)
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

/** The process that has made a staging directory; undefined where it is none, whatever it is called. */
function ownerOf(parent: Directory, name: string): number | undefined {
  const owner = NAME.exec(name)?.[1]
  const stat = owner === undefined ? undefined : lstatSync(inside(parent, name), { throwIfNoEntry: false })
  const isOurs = stat?.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o777) === 0o700
  return isOurs ? Number(owner) : undefined
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

/** Whoever wants to stop: what is left would take as much room as what was restored. */
async function remove({ host, log }: HostDeps, parent: Directory, name: string): Promise<void> {
  const path = `${pathOf(FIRST_DESCRIPTOR)}/${name}`
  const options = { descriptors: [parent.fd] }
  const argv = ['rm', '--recursive', '--force', '--one-file-system', '--', path] as const
  const { status, stderr } = await host.attempt(argv, neverAborted(), options)
  if (status !== 0) log.warn(`${name} could not be removed, the next restore tries again: ${stderr.trim()}`)
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
