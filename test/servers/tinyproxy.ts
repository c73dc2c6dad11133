import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, makeDirectory, startDaemon, waitForHttp } from './daemon'

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
  await waitForHttp(`http://127.0.0.1:${port}`, daemon)
  const userInfo = credentials === undefined ? '' : `${credentials.replace(' ', ':')}@`
  return {
    url: `http://${userInfo}127.0.0.1:${port}`,
    requests: () =>
      [...readFileSync(log, 'utf8').matchAll(/Request \(file descriptor \d+\): (.+)/g)]
        .map(([, request = '']) => request)
        .filter((request) => !/^GET \/ /.test(request)), // it was asked whether it is there
    async [Symbol.asyncDispose]() {
      await daemon.stop()
      directory.remove()
    },
  }
}
