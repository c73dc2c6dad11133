import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts, makeDirectory, run, startDaemon, waitForHttp, type Daemon } from './daemon'
import type { RunningServer } from './server'

const ACCESS_KEY_ID = 'RADOSGWTESTKEY'
const SECRET_ACCESS_KEY = 'radosgw-test-secret'
/** Storage classes that are as good as STANDARD here: radosgw only needs to know their names. */
const STORAGE_CLASSES = ['STANDARD_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']
/** How much the server can hold: a sparse file, which takes what is written to it. */
const CAPACITY_BYTES = 64 * 2 ** 30

/**
 * Starts Ceph's S3 server over a cluster of its own, of one monitor and one storage daemon with its objects in a file.
 * Signatures and bucket policies are enforced; checksums are not verified, nor are conditions on completion. A day of
 * a lifecycle rule lasts 10 seconds.
 */
export async function startRadosgw(): Promise<RunningServer> {
  if (!existsSync('/usr/bin/radosgw')) throw new Error('radosgw is not installed: run "npm run setup"')
  const directory = await makeDirectory('radosgw')
  const daemons: Daemon[] = []
  const stop = async () => {
    await Promise.all(daemons.map((daemon) => daemon.stop()))
    directory.remove()
  }
  try {
    return { ...(await startCluster(directory.path, daemons)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** Whatever it starts is in `daemons`, also when it throws. */
async function startCluster(directory: string, daemons: Daemon[]) {
  const [monitorPort, s3Port] = (await freePorts(2)) as [number, number]
  const clusterId = randomUUID()
  const conf = join(directory, 'ceph.conf')
  const start = (name: string, ...argv: string[]): Daemon => {
    const daemon = startDaemon([...argv, '--conf', conf, '--foreground'], join(directory, `${name}.out`))
    daemons.push(daemon)
    return daemon
  }
  await writeFile(conf, formatConf(directory, clusterId, monitorPort, s3Port))
  for (const name of ['mon', 'osd', 'rgw']) await mkdir(join(directory, name))

  const monitors = join(directory, 'monmap')
  const address = `[v2:127.0.0.1:${monitorPort}]`
  await run('monmaptool', '--create', '--fsid', clusterId, '--addv', 'a', address, monitors)
  await run('ceph-mon', '--conf', conf, '--mkfs', '--id', 'a', '--monmap', monitors)
  start('mon', 'ceph-mon', '--id', 'a')

  const osdId = randomUUID()
  await run('ceph', '--conf', conf, 'osd', 'new', osdId)
  await run('ceph-osd', '--conf', conf, '--id', '0', '--mkfs', '--osd-uuid', osdId)
  start('osd', 'ceph-osd', '--id', '0')

  const admin = (...args: string[]) => run('radosgw-admin', '--conf', conf, ...args)
  await admin(
    ...['user', 'create', '--uid', 'test', '--display-name', 'test'],
    ...['--access-key', ACCESS_KEY_ID, '--secret-key', SECRET_ACCESS_KEY],
  )
  for (const storageClass of STORAGE_CLASSES) {
    const placement = ['--placement-id', 'default-placement', '--storage-class', storageClass]
    await admin('zonegroup', 'placement', 'add', '--rgw-zonegroup', 'default', ...placement)
    await admin(
      ...['zone', 'placement', 'add', '--rgw-zone', 'default', ...placement],
      ...['--data-pool', `default.rgw.${storageClass}.data`],
    )
  }

  const endpoint = `http://127.0.0.1:${s3Port}`
  await waitForHttp(endpoint, start('rgw', 'radosgw', '--name', 'client.rgw.a'))
  // The daemon has it open. Without a name, it is gone whenever the daemon is, however that comes about.
  await rm(join(directory, 'osd', 'block'))
  return {
    name: 'radosgw' as const,
    endpoint,
    region: 'us-east-1',
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    directory,
  }
}

/**
 * Authentication inside the cluster is off; then the message mode must be said everywhere, as the default, "secure",
 * needs authentication and waits for it forever. Nothing is written outside `directory`.
 */
function formatConf(directory: string, clusterId: string, monitorPort: number, s3Port: number): string {
  return `
[global]
fsid = ${clusterId}
mon host = [v2:127.0.0.1:${monitorPort}]
mon initial members = a
public addr = 127.0.0.1
run dir = ${directory}
log file = ${directory}/$name.log
mon data = ${directory}/mon
osd data = ${directory}/osd
rgw data = ${directory}/rgw
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms client mode = crc
ms service mode = crc
ms cluster mode = crc
mon allow pool size one = true
mon data avail crit = 1
paxos propose interval = 0.05
paxos min wait = 0.01
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd crush chooseleaf type = 0
osd objectstore = bluestore
bluestore block size = ${CAPACITY_BYTES}
bluestore csum type = none
bluestore cache autotune = false
bluestore cache size = 134217728

[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:${s3Port}
rgw lc debug interval = 10
rgw gc obj min wait = 5
rgw gc processor period = 10
rgw dynamic resharding = false
`
}
