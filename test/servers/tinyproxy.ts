import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts, makeDirectory, startDaemon, type Daemon } from './daemon'

/** On a busy machine. */
const READY_TIMEOUT_SECONDS = 30

/** A real proxy, on this host's loopback interface. */
export interface RunningProxy extends AsyncDisposable {
  /** `http://alice:secret@127.0.0.1:8888`; without name and password where none are asked for. */
  readonly url: string
  /** What it was asked for so far, one line each: `CONNECT localhost:443 HTTP/1.1`. */
  requests(): string[]
}

/** @param credentials - `alice secret`: what it wants to be told before it does anything */
export async function startTinyproxy(credentials?: string): Promise<RunningProxy> {
  const directory = await makeDirectory('tinyproxy')
  const [port = 0] = await freePorts(1)
  const [configuration, log] = [join(directory.path, 'tinyproxy.conf'), join(directory.path, 'tinyproxy.log')]
  writeFileSync(
    configuration,
    [
      ...[`Port ${port}`, 'Listen 127.0.0.1', 'Timeout 60', 'MaxClients 100', 'LogLevel Connect'],
      ...(credentials === undefined ? [] : [`BasicAuth ${credentials}`]),
    ].join('\n') + '\n',
  )
  const daemon = startDaemon(['tinyproxy', '-d', '-c', configuration], log)
  await waitForPort(port, daemon)
  const userInfo = credentials === undefined ? '' : `${credentials.replace(' ', ':')}@`
  return {
    url: `http://${userInfo}127.0.0.1:${port}`,
    requests: () =>
      [...readFileSync(log, 'utf8').matchAll(/Request \(file descriptor \d+\): (.+)/g)].map(
        ([, request = '']) => request,
      ),
    async [Symbol.asyncDispose]() {
      await daemon.stop()
      directory.remove()
    },
  }
}

/** `fetch` has no patience with a proxy that wants a password: only the connection counts. */
async function waitForPort(port: number, daemon: Daemon): Promise<void> {
  for (const deadline = Date.now() + READY_TIMEOUT_SECONDS * 1000; Date.now() < deadline;) {
    daemon.throwIfExited()
    const socket = connect({ host: '127.0.0.1', port })
    const isThere = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (isThere) return
    await sleep(50)
  }
  throw new Error(`nothing listens at port ${port}`)
}
