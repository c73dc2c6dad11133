/**
 * Runs in the guest: connects to the host, runs what it is told, reports what that writes and how it ends. When the
 * line breaks it ends, and the guest with it.
 *
 * Usage: node guest-daemon.mts PORT
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import type { FromGuest, ToGuest } from './guest-link'

const HOST = '10.0.2.2'

const running = new Map<number, ChildProcess>()
const socket = connect(Number(process.argv[2]), HOST, () => tell({ ready: true }))
socket.on('close', () => process.exit())
socket.on('error', (error) => {
  console.error(`guest-daemon: ${error.message}`)
  process.exit(1)
})
createInterface({ input: socket }).on('line', (line) => {
  const message = JSON.parse(line) as ToGuest
  if ('signal' in message) signalGroup(message.id, message.signal)
  else if ('endInput' in message) running.get(message.id)?.stdin?.end()
  else run(message)
})

function run({ id, argv, environment, input, isInputOpen }: Extract<ToGuest, { argv: unknown }>): void {
  // Its own process group, so that a signal reaches what it started too.
  const child = spawn(argv[0], argv.slice(1), { env: { ...process.env, ...environment }, detached: true })
  running.set(id, child)
  child.stdout.on('data', (data: Buffer) => tell({ id, stdout: data.toString('base64') }))
  child.stderr.on('data', (data: Buffer) => tell({ id, stderr: data.toString('base64') }))
  let failure: string | undefined
  child.on('error', (error) => {
    failure = error.message
  })
  child.on('close', (status, killedBy) => {
    running.delete(id)
    if (failure !== undefined) tell({ id, stderr: Buffer.from(failure).toString('base64') })
    tell({ id, status: failure === undefined ? status : 127, killedBy })
  })
  child.stdin.on('error', () => undefined) // a command need not read its input
  child.stdin.write(Buffer.from(input, 'base64'))
  if (!isInputOpen) child.stdin.end()
}

function signalGroup(id: number, signal: NodeJS.Signals): void {
  const pid = running.get(id)?.pid
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It ended in this moment.
  }
}

function tell(message: FromGuest): void {
  socket.write(`${JSON.stringify(message)}\n`)
}
