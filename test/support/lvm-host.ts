import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { localHost } from '../../agent/host/run-command.io'
import { fakeHost, type Answer, type Answers } from './fake-host'
import { lvRow, lvsReport, vgsReport } from './lvm-report'
import type { Argv, Host } from '../../agent/context'

export interface LvmHost extends Host {
  readonly ran: readonly string[]
  /** Of ours, on the host now: snapshots by the volume that they are of, and mounts by their mount point. */
  readonly snapshots: () => string[]
  readonly mounts: () => string[]
}

/**
 * A host with volumes of one group that are mounted where their name says, `home` at `/home`; what is in a volume, and so in
 * its snapshot, is in a directory of this machine, from which the real tar reads.
 *
 * @param answers - what some commands do instead
 * @param see - sees each command and its answer, and may give another
 */
export function lvmHost(
  directories: Readonly<Record<string, string>>,
  answers: Answers = {},
  see: (argv: Argv, usual: Answer) => Answer = (_argv, usual) => usual,
): LvmHost {
  const snapshots = new Map<string, { readonly origin: string; readonly tags: string; readonly minor: string }>()
  const mounted = new Map<string, string>()
  const origins = Object.keys(directories)
  const numberOf = (name: string) => snapshots.get(name)?.minor ?? String(origins.indexOf(name))
  const nameOf = (path = '') => path.split('/').at(-1) ?? ''
  const mountRow = (target: string, name: string) => ({
    ...{ target, source: `/dev/mapper/vg-${name}`, fstype: 'ext4', options: 'rw', fsroot: '/' },
    ...{ 'maj:min': `254:${numberOf(name)}`, uuid: null, label: null },
  })
  const instead = (argv: Argv): Argv => {
    const [mountPoint = '', name = ''] =
      [...mounted].find(([target]) => argv.some((word) => word.endsWith(target))) ?? []
    const directory = directories[snapshots.get(name)?.origin ?? name] ?? ''
    return argv.map((word) => word.replace(mountPoint, directory)) as unknown as Argv
  }
  const all: Answers = {
    lvs: () =>
      lvsReport(
        ...origins.map((name) => lvRow(name, { lv_kernel_minor: numberOf(name) })),
        ...Array.from(snapshots, ([name, { origin, tags, minor }]) =>
          lvRow(name, { origin, lv_tags: tags, lv_kernel_minor: minor, data_percent: '1.00' }),
        ),
      ),
    vgs: vgsReport(),
    pvs: JSON.stringify({ report: [{ pv: [] }] }),
    findmnt: () =>
      JSON.stringify({
        filesystems: [
          ...origins.map((name) => mountRow(`/${name}`, name)),
          ...Array.from(mounted, ([target, name]) => mountRow(target, name)),
        ],
      }),
    lsblk: () => {
      const children = origins.map((name) => ({ name, 'maj:min': `254:${numberOf(name)}`, type: 'lvm' }))
      return JSON.stringify({ blockdevices: [{ name: 'sda', 'maj:min': '8:0', type: 'disk', children }] })
    },
    df: '',
    blkid: '',
    find: '',
    dumpe2fs: '',
    rmdir: '',
    lvchange: '',
    tar: (argv) => localHost.attempt(argv, new AbortController().signal),
    vgcfgbackup: (argv) => {
      const file = argv[argv.indexOf('--file') + 1] ?? ''
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, 'vg {\n}\n')
      return ''
    },
    lvcreate: (argv) => {
      const tags = argv.filter((_, index) => argv[index - 1] === '--addtag').join(',')
      const name = argv[argv.indexOf('--name') + 1] ?? ''
      snapshots.set(name, { origin: nameOf(argv.at(-1)), tags, minor: String(100 + snapshots.size) })
      return ''
    },
    lvremove: (argv) => (snapshots.delete(nameOf(argv.at(-1))) ? '' : { status: 5, stderr: 'not found' }),
    mount: (argv) => {
      mounted.set(argv.at(-1) ?? '', nameOf(argv[argv.indexOf('--source') + 1]))
      return ''
    },
    umount: (argv) => (mounted.delete(argv.at(-1) ?? '') ? '' : { status: 32, stderr: 'not mounted' }),
    ...answers,
  }
  const seen = Object.entries(all).map(([name, answer]) => {
    return [name, async (argv: Argv) => see(argv, typeof answer === 'function' ? await answer(argv) : answer)] as const
  })
  const host = fakeHost(Object.fromEntries(seen), instead)
  return {
    ...host,
    snapshots: () => Array.from(snapshots.values(), ({ origin }) => origin),
    mounts: () => [...mounted.keys()],
  }
}
