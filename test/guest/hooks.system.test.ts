/** Hooks where systemd is process 1 and the agent runs in a unit, as Systems Manager's documents start it. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { readDocument } from '../../infra/ssm-document'
import { createBucket, guestEndpoint, testServers } from '../servers/index'
import { BUNDLE } from './agent'
import { bootGuest, type Guest } from './guest'
import type { GuestCommand } from './guest-link'
import { DISKS_MIB, makeVolumes } from './volumes'

jest.setTimeout(180_000)

const RUN_AGENT = readFileSync(resolve(__dirname, '../../ssm-documents/run-agent.sh'), 'utf8')
const HOOKS = '/etc/snapstream/hooks.d'
/** Is there as long as the application is held. */
const HELD = '/root/held'
const DIARY = '/root/diary'

let guest: Guest
let runs = 0

beforeAll(async () => {
  guest = await bootGuest({ disksMiB: DISKS_MIB, systemd: true })
  await makeVolumes(guest)
  const server = testServers().seaweedfs
  const bucket = await createBucket(server, { versioned: true })
  const place = `--bucket ${bucket} --endpoint-url ${guestEndpoint(server)} --region ${server.region} --host guest`
  const keys = `AWS_ACCESS_KEY_ID=${server.accessKeyId} AWS_SECRET_ACCESS_KEY=${server.secretAccessKey}`
  const program = `export ${keys}\nexec node ${BUNDLE} "$@" ${place} --volumes /srv`
  await write('/opt/snapstream/current/snapstream', program)
})
afterAll(() => guest.stop())
beforeEach(() => shell(`rm -rf ${HOOKS} ${HELD} ${DIARY}`))

const shell = (script: string) => guest.run(['sh', '-euc', script])
const write = (path: string, script: string) =>
  guest.run(['sh', '-euc', 'mkdir -p "$(dirname "$1")"; cat >"$1"; chmod 755 "$1"', 'sh', path], {
    input: `#!/bin/sh\n${script}\n`,
  })
const hook = (name: string, script: string) => write(`${HOOKS}/${name}`, script)
const diary = () => shell(`cat ${DIARY}`)
const until = (condition: string) =>
  guest.run(['timeout', '60', 'sh', '-c', `until ${condition}; do sleep 0.1; done`], { timeoutSeconds: 90 })

/** As the Backup document does. @param timeoutSeconds - of Systems Manager */
function startBackup(timeoutSeconds: number, ...options: readonly string[]): { unit: string; command: GuestCommand } {
  const id = `test-${(runs += 1)}`
  const script = `${RUN_AGENT}\nrun_agent ${timeoutSeconds} backup "$@"\n`
  const command = guest.start(['sh', '-c', script, 'sh', ...options], { environment: { SSM_COMMAND_ID: id } })
  return { unit: `snapstream-command-${id}.service`, command }
}

const backUp = (...options: readonly string[]) => startBackup(600, ...options).command.ended

describe('applications are released when', () => {
  /** A backup that has begun to hold the application, and takes a while to. */
  async function hold(
    timeoutSeconds: number,
    hookTimeout: string,
    seconds = 3,
  ): Promise<ReturnType<typeof startBackup>> {
    await hook('pre/db', `echo locking >>${DIARY}; touch ${HELD}; sleep ${seconds}; echo locked >>${DIARY}`)
    await hook('post/db', `rm -f ${HELD}; echo released >>${DIARY}`)
    const backup = startBackup(timeoutSeconds, '--hook-timeout', hookTimeout)
    await until(`[ -e ${HELD} ]`)
    return backup
  }

  async function released({ command }: ReturnType<typeof startBackup>): Promise<void> {
    expect((await command.ended).status).not.toBe(0)
    await until(`[ ! -e ${HELD} ]`)
    // The hook at work was left to end first, although it is the agent that had started it.
    expect(await diary()).toBe('locking\nlocked\nreleased\n')
  }

  test('the agent is killed', async () => {
    const backup = await hold(600, '5s')
    await guest.run(['systemctl', 'kill', '--kill-who=main', '--signal=KILL', backup.unit])
    await released(backup)
  })

  test('everything in its unit is killed', async () => {
    const backup = await hold(600, '5s')
    await guest.run(['systemctl', 'kill', '--signal=KILL', backup.unit])
    await released(backup)
  })

  test('its unit runs out of memory', async () => {
    const backup = await hold(600, '5s')
    await guest.run(['systemctl', 'set-property', '--runtime', backup.unit, 'MemoryMax=8M', 'MemorySwapMax=0'])
    await released(backup)
    expect(await guest.run(['dmesg'])).toContain('Memory cgroup out of memory: Killed process')
  })

  test('it does not end in the time that it has once its unit is stopped', async () => {
    const backup = await hold(100, '20s', 18) // has 10 seconds
    await guest.run(['systemctl', 'stop', backup.unit])
    await released(backup)
  })

  test('it ends on being stopped, and releases them itself', async () => {
    const backup = await hold(600, '60s')
    await guest.run(['systemctl', 'stop', backup.unit])
    await released(backup)
  })

  test('its time is over', async () => {
    await hook('pre/db', `touch ${HELD}; sleep 1000`)
    await hook('post/db', `rm -f ${HELD}`)
    const { command } = startBackup(40, '--hook-timeout', '40s')
    await until(`[ -e ${HELD} ]`)
    expect((await command.ended).status).not.toBe(0)
    await until(`[ ! -e ${HELD} ]`)
  })
})

test('a daemon that a hook starts outlives the backup, and is nothing that the agent was', async () => {
  const daemon = 'setsid sleep 98765 </dev/null >/dev/null 2>&1 & echo $! >/root/daemon'
  await hook('post/db', daemon)
  const { status, stderr } = await backUp('--nice', '15')
  expect([status, stderr]).toEqual([0, ''])
  const facts = 'cat /proc/$1/comm /proc/$1/oom_score_adj; ps -o ni= -p "$1"; grep Umask "/proc/$1/status"'
  const about = await guest.run(['sh', '-euc', `set -- "$(cat /root/daemon)"; ${facts}; kill "$1"`])
  expect(about.split(/\s+/)).toEqual(['sleep', '0', '0', 'Umask:', '0022', ''])
})

test('a hook that takes too long is killed with all that it started, also what has left its session', async () => {
  await hook('pre/db', `setsid sleep 87654 & echo $! >/root/child; wait`)
  const { status, stderr } = await backUp('--hook-timeout', '2s')
  expect(status).toBe(1)
  expect(stderr).toContain(`the hook ${HOOKS}/pre/db took more than 2 s`)
  await until('! grep -q sleep /proc/$(cat /root/child)/cmdline')
})

test('what a hook says and how it ends is told, although systemd runs it', async () => {
  await hook('pre/db', 'echo cannot lock tables >&2; exit 7')
  expect((await backUp()).stderr).toContain(`the hook ${HOOKS}/pre/db exited with status 7: cannot lock tables`)
})

test('a hook that dies of SIGTERM has failed, although that is a good end to systemd', async () => {
  await hook('pre/db', 'kill -TERM $$')
  const { status, stderr } = await backUp()
  expect([status, stderr]).toEqual([1, expect.stringContaining(`the hook ${HOOKS}/pre/db exited with status 15`)])
})

test('a hook gets what it is promised, whatever it is called', async () => {
  await hook('post/a ${HOME} $b %n', `echo "$0|$1|$SNAPSTREAM_COMMAND|$HOME|$LC_ALL|$PWD|\${PATH:+path}" >${DIARY}`)
  const { status, stderr } = await backUp()
  expect([status, stderr]).toEqual([0, ''])
  expect(await diary()).toBe(`${HOOKS}/post/a \${HOME} $b %n|post-script|post-script|/root|C|/|path\n`)
})

describe('by the Quiesce document', () => {
  /** Its step, with 3 seconds for the pre hooks, and 6 until the host is released. */
  function startQuiesce(command: 'pre-script' | 'post-script'): GuestCommand {
    const [step] = readDocument(DOCUMENTS_DIRECTORY, 'Quiesce').mainSteps
    if (step?.action !== 'aws:runShellScript') throw new Error('Quiesce begins with something else')
    const script = step.inputs.runCommand
      .join('\n')
      .replaceAll('{{ command }}', command)
      .replaceAll('{{ executionId }}', 'None')
      .replace('pre_seconds=50', 'pre_seconds=3')
      .replace('release_after_seconds=60', 'release_after_seconds=6')
    return guest.start(['sh', '-euc', 'cat >/root/quiesce; exec sh /root/quiesce'], { input: script })
  }

  test('an application is released although the command is killed, and a daemon that a hook starts lives on', async () => {
    await hook('pre/db', `touch ${HELD}; sleep 1000`)
    await hook('post/db', `setsid sleep 76543 & echo $! >/root/daemon; rm -f ${HELD}`)
    const command = startQuiesce('pre-script')
    await until(`[ -e ${HELD} ]`)
    command.kill('SIGKILL')
    await until(`[ ! -e ${HELD} ]`)
    await until(`[ -e /run/snapstream-quiesce/released ]`)
    expect((await startQuiesce('post-script').ended).status).toBe(203)
    expect(await shell('cat /proc/$(cat /root/daemon)/comm; kill $(cat /root/daemon)')).toBe('sleep\n')
  })
})

test('nothing is left of the units', () => until(`[ -z "$(systemctl list-units --all --no-legend 'snapstream-*')" ]`))
