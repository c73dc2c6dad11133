/**
 * Loses Debian hosts, with LVM and without, rebuilds each from its backup onto an empty disk by the script of `restore-plan`, and boots
 * that disk to a login, from a BIOS and by UEFI. The host and the rescue system are guests; the PC that boots is emulated.
 */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { installAgent, type Installation } from '../guest/agent'
import { bootGuest, type Guest } from '../guest/guest'
import { guestEndpoint, startEc2, startSeaweedfs, type RunningServer } from '../servers/index'
import { OWNER } from '../servers/ec2/snapshots'
import { serveMetadata } from '../support/metadata-service'
import { installDebian, makeDebian, ON_LVM, PLAIN, ROOT, type Layout } from './debian'
import { AGENT_WITHIN, describeDisk, withinHost } from './host'
import { bootToLogin, type Firmware } from './machine'

const HOSTNAME = 'lost'
const DISK_GIB = 2
const REGION = 'us-east-1'

interface Story {
  readonly name: string
  readonly layout: Layout
  /** Whether its disk is a volume of EBS. */
  readonly onEc2: boolean
  readonly firmware: readonly Firmware[]
}

const STORIES: readonly Story[] = [
  { name: 'a host without LVM', layout: PLAIN, onEc2: true, firmware: ['BIOS', 'UEFI'] },
  { name: 'a host on LVM', layout: ON_LVM, onEc2: false, firmware: ['BIOS', 'UEFI'] },
]

/** What is known of the host once it is gone. */
interface Lost {
  readonly bucket: string
  readonly run: string
  readonly host: string
  readonly disk: string
  readonly description: readonly string[]
}

/** @param wanted - part of the name of stories; of all of them where empty */
async function main(wanted = ''): Promise<void> {
  const startedAt = performance.now()
  const say = (text: string) =>
    console.log(`${((performance.now() - startedAt) / 1000).toFixed(0).padStart(4)} s  ${text}`)
  const archive = await makeDebian()
  say('made a Debian')
  let [passed, failed] = [0, 0]
  const server = await startSeaweedfs()
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-rebuilt-'))
  try {
    for (const [index, story] of STORIES.filter(({ name }) => name.includes(wanted)).entries()) {
      const disk = join(directory, `disk-${index}`)
      const lost = await loseHost(server, story, archive)
      say(`${story.name} was backed up, and is gone`)
      await rebuildHost(server, lost, disk)
      say(`${story.name} is rebuilt, with all of its ids and boot files`)
      const boots = story.firmware.map(async (firmware) => {
        const seconds = await bootToLogin(disk, firmware, HOSTNAME)
        say(`${story.name} boots to its login, by ${firmware} (${seconds.toFixed(0)} s)`)
        passed++
      })
      await Promise.all(boots)
      rmSync(disk)
    }
  } catch (error) {
    console.error(error)
    failed++
  } finally {
    rmSync(directory, { recursive: true })
    await server.stop()
  }
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed === 0 ? 0 : 1
}

async function loseHost(server: RunningServer, { layout, onEc2 }: Story, archive: string): Promise<Lost> {
  await using started = new AsyncDisposableStack()
  const guest = started.use(await bootGuest({ disksMiB: onEc2 ? [] : [DISK_GIB * 1024] }))
  const { disk, environment, options } = onEc2 ? await launch(started, guest, server) : notOnEc2(guest)
  await installDebian(guest, disk, layout, archive)
  const agent = await installAgent(guest, server, { environment })
  const { status, stdout, stderr } = await guest.exec(
    withinHost(...AGENT_WITHIN, 'backup', ...placeOf(agent, server), ...options, '--json'),
    { environment: { ...credentialsOf(server), ...environment }, timeoutSeconds: 300 },
  )
  if (status !== 0) throw new Error(`the backup ended with status ${status}: ${stdout}${stderr}`)
  const { run } = JSON.parse(stdout) as { run: string }
  const description = await describeDisk(guest, disk, ROOT)
  return { bucket: agent.bucket, run, host: HOSTNAME, disk, description }
}

async function launch(started: AsyncDisposableStack, guest: Guest, server: RunningServer) {
  const ec2 = started.use(await startEc2({ credentials: server }))
  const { id } = await ec2.launch({ machine: guest, volumes: [{ sizeGiB: DISK_GIB }] })
  const document = {
    region: REGION,
    availabilityZone: `${REGION}a`,
    accountId: OWNER,
    instanceId: id,
    instanceType: 't3.small',
  }
  const metadata = started.use(await serveMetadata({ region: REGION, document: JSON.stringify(document) }))
  return {
    disk: '/dev/ubdb',
    environment: { AWS_EC2_METADATA_SERVICE_ENDPOINT: guestEndpoint({ endpoint: metadata.url }) },
    options: ['--ec2-endpoint-url', guestEndpoint(ec2)],
  }
}

function notOnEc2({ disks: [disk = ''] }: Guest) {
  return { disk, environment: { AWS_EC2_METADATA_DISABLED: 'true' }, options: [] }
}

/** Another machine: its first disk is not that of the host. */
async function rebuildHost(server: RunningServer, lost: Lost, file: string): Promise<void> {
  await using rescue = await bootGuest({ disksMiB: [64] })
  writeFileSync(file, '')
  truncateSync(file, DISK_GIB * 1024 ** 3)
  const disk = await rescue.attachDisk({ file })
  const launcher = `#!/bin/sh\nexec node ${resolve(__dirname, '../../dist/agent.cjs')} "$@"\n`
  const install =
    'modprobe -a vfat nls_cp437 nls_iso8859-1 nls_utf8; cat >/usr/local/bin/snapstream; chmod +x /usr/local/bin/snapstream'
  await rescue.run(['sh', '-euc', install], { input: launcher })
  const environment = {
    ...credentialsOf(server),
    ...{ SNAPSTREAM_ENDPOINT_URL: guestEndpoint(server), SNAPSTREAM_REGION: server.region },
  }
  const place = ['--bucket', lost.bucket, '--host', lost.host, '--class', 'daily', '--run', lost.run]
  const plan = [
    'snapstream',
    'restore-plan',
    ...place,
    '--disk',
    `${lost.disk}=${disk}`,
    '--script',
    '/root/rebuild.sh',
  ] as const
  for (const argv of [plan, ['sh', '/root/rebuild.sh'] as const]) {
    const { status, stdout, stderr } = await rescue.exec(argv, { environment, timeoutSeconds: 300 })
    if (status !== 0) throw new Error(`${argv.join(' ')} ended with status ${status}: ${stdout}\n${stderr}`)
  }
  const found = await describeDisk(rescue, disk, '/mnt/snapstream')
  const missing = lost.description.filter((line) => !found.includes(line))
  const added = found.filter((line) => !lost.description.includes(line))
  if (missing.length > 0 || added.length > 0) {
    throw new Error(
      `not as it was:\n${missing.map((line) => `- ${line}`).join('\n')}\n${added.map((line) => `+ ${line}`).join('\n')}`,
    )
  }
}

function placeOf({ bucket }: Installation, server: RunningServer): string[] {
  return ['--bucket', bucket, '--endpoint-url', guestEndpoint(server), '--region', server.region, '--host', HOSTNAME]
}

function credentialsOf({ accessKeyId, secretAccessKey }: RunningServer): Record<string, string> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
}

void main(process.argv[2])
