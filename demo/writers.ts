/** The programs that keep writing while the volumes are backed up, and the hooks that hold them for the snapshots. */
import type { Guest } from '../test/guest/guest'
import type { GuestCommand } from '../test/guest/guest-link'
import type { GuestPrograms } from './guest-programs'
import type { DemoHost } from './host'

const STATE = '/run/demo'
const COUNT = `${STATE}/changes`
const COUNT_AT_SNAPSHOT = `${STATE}/changes-at-snapshot`
const PID = `${STATE}/pid`

export const HOOKS = { pre: `${STATE}/hold`, post: `${STATE}/resume` } as const

/** How long the writers may take to make their first change. */
const START_TIMEOUT_SECONDS = 20
/** They end when they are told to; this is for when nobody does. */
const WRITE_TIMEOUT_SECONDS = 600

/** What an application's hooks do: stop changing anything, and go on. The second takes the demo's own snapshots too. */
function hookLines({ truthCommands }: DemoHost): Readonly<Record<'pre' | 'post', readonly string[]>> {
  return {
    pre: [`kill -STOP "$(cat ${PID})"`, 'sync'],
    post: [...truthCommands, `cp ${COUNT} ${COUNT_AT_SNAPSHOT}`, `kill -CONT "$(cat ${PID})"`],
  }
}

export interface Writers {
  /** Ends them. Returns how many changes they have made since the snapshots. */
  stop(): Promise<number>
}

/** Starts the writers on all live volumes, and puts the hooks in place. */
export async function startWriters(host: DemoHost, programs: GuestPrograms): Promise<Writers> {
  const { guest, volumes } = host
  await guest.run(['mkdir', STATE])
  for (const stage of ['pre', 'post'] as const) {
    const script = ['#!/bin/sh', 'set -eu', ...hookLines(host)[stage], ''].join('\n')
    await guest.run(['sh', '-ec', `cat > ${HOOKS[stage]}; chmod +x ${HOOKS[stage]}`], { input: script })
  }
  const directories = volumes.filter(({ live }) => live).map(({ mountPoint }) => mountPoint)
  const writer = guest.start(
    ['sh', '-c', `echo $$ > ${PID}; exec "$@"`, 'sh', 'node', programs.write, COUNT, ...directories],
    { timeoutSeconds: WRITE_TIMEOUT_SECONDS },
  )
  await waitForFirstChange(guest, writer)
  return {
    async stop() {
      writer.kill('SIGTERM')
      const { status, stderr } = await writer.ended
      if (status !== 0) throw new Error(`the writers did not end well: ${stderr}`)
      return (await readCount(guest, COUNT)) - (await readCount(guest, COUNT_AT_SNAPSHOT))
    },
  }
}

async function readCount(guest: Guest, file: string): Promise<number> {
  return Number(await guest.run(['cat', file]))
}

async function waitForFirstChange(guest: Guest, writer: GuestCommand): Promise<void> {
  const wait = guest.run(['sh', '-c', `until [ -s ${COUNT} ]; do sleep 0.1; done`], {
    timeoutSeconds: START_TIMEOUT_SECONDS,
  })
  const early = writer.ended.then(({ stderr }) => {
    throw new Error(`the writers ended before they wrote: ${stderr}`)
  })
  await Promise.race([wait, early])
}
