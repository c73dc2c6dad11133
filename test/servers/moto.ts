import { join } from 'node:path'
import { freePorts, inVirtualEnvironment, makeDirectory, startDaemon, waitForHttp } from './daemon'
import type { RunningServer } from './server'

/**
 * Starts moto, which imitates many services of AWS in memory. It keeps archived objects from being read until they are
 * restored, and deploys CloudFormation templates. It checks neither signatures nor checksums.
 *
 * The endpoint says `localhost`, as moto takes the first label of any other host name for a bucket.
 */
export async function startMoto(): Promise<RunningServer> {
  const directory = await makeDirectory('moto')
  const [port = 0] = await freePorts(1)
  const daemon = startDaemon(
    [inVirtualEnvironment('moto_server'), '-H', '127.0.0.1', '-p', String(port)],
    join(directory.path, 'moto.log'),
  )
  const stop = async () => {
    await daemon.stop()
    directory.remove()
  }
  const endpoint = `http://localhost:${port}`
  try {
    await waitForHttp(endpoint, daemon)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name: 'moto',
    endpoint,
    region: 'us-east-1',
    accessKeyId: 'test',
    secretAccessKey: 'test',
    directory: directory.path,
    stop,
  }
}
