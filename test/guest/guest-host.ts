import { writeFileSync } from 'node:fs'
import { PassThrough, Writable } from 'node:stream'
import { AgentError } from '../../agent/errors'
import { formatArgv } from '../../agent/host/argv'
import { localDeps, type LocalDeps } from '../support/host-deps'
import type { Guest } from './guest'
import type { Argv, Host, RunningCommand, StartOptions } from '../../agent/context'

/**
 * A `Host` that is a guest: the agent's code runs in the test, its commands run there. Signals are not passed on. What
 * `vgcfgbackup` writes is brought over, to be read where the code runs.
 */
function guestHost(guest: Guest): Host {
  const host: Host = {
    async run(argv, signal, options) {
      const { status, stdout, stderr } = await host.attempt(argv, signal, options)
      if (status === 0) return stdout
      throw new AgentError('COMMAND_FAILED', `${formatArgv(argv)} exited with status ${status ?? '?'}: ${stderr}`, {
        hint: 'The text after the colon is what the command itself printed.',
      })
    },
    async attempt(argv, signal, options = {}) {
      signal.throwIfAborted()
      const [program, option, file = ''] = argv
      if (program === 'vgcfgbackup' && option === '--file') {
        const script = 'mkdir -p "$(dirname "$3")" && "$@" >&2 && cat "$3"'
        const result = await guest.exec(['sh', '-c', script, 'sh', ...argv])
        writeFileSync(file, result.stdout)
        return result
      }
      return guest.exec(argv, { environment: { LC_ALL: 'C', ...options.environment } })
    },
    start: (argv, _signal, options = {}) => startIn(guest, argv, options),
  }
  return host
}

/** A command whose input stays open, and is all that can be done with that: nothing is written to it. */
function startIn(guest: Guest, argv: Argv, { onStderr, environment }: StartOptions): RunningCommand {
  const stdout = new PassThrough()
  let stderr = ''
  const command = guest.start(argv, {
    environment: { LC_ALL: 'C', ...environment },
    keepInput: true,
    onStdout: (data) => void stdout.write(data),
    onStderr(text) {
      stderr += text
      onStderr?.(Buffer.from(text))
    },
  })
  const stdin = new Writable({
    final(done) {
      command.endInput()
      done()
    },
  })
  const succeeded = command.ended.then(({ status }) => {
    stdout.end()
    if (status === 0) return
    throw new AgentError('COMMAND_FAILED', `${formatArgv(argv)} exited with status ${status ?? '?'}: ${stderr}`, {
      hint: 'The text after the colon is what the command itself printed.',
    })
  })
  succeeded.catch(() => undefined) // whoever awaits it sees the error
  return { stdin, stdout, succeeded, stderrTail: () => stderr, kill: () => command.kill('SIGKILL') }
}

/** What an agent in the guest would have. */
export function guestDeps(guest: Guest): LocalDeps {
  return { ...localDeps(), host: guestHost(guest) }
}

/**
 * Runs a command in the guest that prints a tar stream.
 *
 * @param names - at its standard input, as `printf` takes them
 * @returns what the file `moment` holds in that
 */
export async function readMoment(guest: Guest, tar: Argv, names = ''): Promise<string> {
  const script = `file=$(mktemp); trap 'rm "$file"' EXIT; names=$1; shift
    printf "$names" | "$@" >"$file" && tar --extract --to-stdout --file="$file" ./moment`
  return guest.run(['bash', '-c', script, 'bash', names, ...tar])
}
