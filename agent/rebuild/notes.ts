import type { Manifest } from '../run/manifest'
import { flattenBlockDevices } from '../host/block-devices'
import type { DeviceLayout } from '../source/rebuild-step'
import type { MadeFilesystem } from './filesystems'
import { counted } from '../lib/text'

/** Filesystems of SELinux systems need their labels before the first boot; these have it on. */
const SELINUX_SYSTEMS = /^ID(_LIKE)?=.*\b(rhel|fedora|amzn|centos)\b/m

/** Objects of an archive that cannot be read as they are. */
export interface UnreadableArchive {
  readonly mountPoint: string
  readonly missing: number
  /** In Glacier, and not retrieved yet. */
  readonly frozen: number
}

/** What would keep the restore at the end from beginning, once the disks are made anew. */
export function notesOnArchives(archives: readonly UnreadableArchive[]): string[] {
  return archives.flatMap(({ mountPoint, missing, frozen }) => [
    ...(missing === 0
      ? []
      : [
          `${counted(missing, 'object')} of ${mountPoint} ${missing === 1 ? 'is' : 'are'} missing: the restore needs --best-effort, or another run.`,
        ]),
    ...(frozen === 0
      ? []
      : [
          `${counted(frozen, 'object')} of ${mountPoint} ${frozen === 1 ? 'is' : 'are'} in Glacier: run the last command first, with --thaw bulk, and wait.`,
        ]),
  ])
}

/** What the commands of a rebuild leave to do, most pressing first. */
export function notesOnRebuild(
  manifest: Manifest,
  layout: DeviceLayout,
  filesystems: readonly MadeFilesystem[],
  target: string,
): string[] {
  const { system, notBackedUp, failures } = manifest
  return [
    ...failures.map(
      ({ mountPoint, message }) => `The backup of ${mountPoint} failed: ${message}. An earlier run may have it.`,
    ),
    ...notBackedUp.map(({ mountPoint, reason }) => `${mountPoint} was not backed up: ${reason}.`),
    ...notesOnDisks(manifest, layout),
    ...layout.notes,
    ...notesOnDevices(layout, filesystems),
    `Use the mkfs of the host's own release (${nameOf(system)}): another one may not know all options, and the script would stop there.`,
    ...notesOnFstab(system.fstab, layout, filesystems),
    ...notesOnRoot(manifest, target),
  ]
}

function nameOf({ osRelease, kernel }: Manifest['system']): string {
  const name = /^PRETTY_NAME="?(.*?)"?$/m.exec(osRelease)?.[1]
  return `${name === undefined ? '' : `${name}, `}Linux ${kernel}`
}

/** What else lay below the volumes than partitions is not made. */
function notesOnDisks({ system }: Manifest, { formerDisks }: DeviceLayout): string[] {
  const types = new Map(flattenBlockDevices(system.blockDevices).map(({ name, type }) => [`/dev/${name}`, type]))
  return formerDisks.flatMap((device) => {
    const type = types.get(device) ?? types.get(device.replace('/dev/mapper/', '/dev/')) ?? 'disk'
    return type === 'disk' ? [] : [`${device} was of type ${type}: create it first, or give a whole disk with --disk.`]
  })
}

function notesOnDevices({ devices }: DeviceLayout, filesystems: readonly MadeFilesystem[]): string[] {
  const made = new Map(filesystems.map((filesystem) => [filesystem.device, filesystem]))
  return devices.flatMap(({ device }) => {
    const filesystem = made.get(device)
    if (!filesystem) return [`${device} was not backed up: here it is empty, without a filesystem.`]
    if (filesystem.volume || filesystem.type === 'swap') return []
    return [`${device} was not backed up: here its ${filesystem.type} filesystem is empty.`]
  })
}

/** What the old fstab mounts and nobody makes again keeps a system from booting. */
function notesOnFstab(fstab: string, { devices }: DeviceLayout, filesystems: readonly MadeFilesystem[]): string[] {
  const made = new Set([
    ...filesystems.flatMap(({ uuid, label }) => [`UUID=${uuid}`, `LABEL=${label}`]),
    ...devices.flatMap(({ device, aliases }) => [device, ...aliases]),
  ])
  return [...fstab.matchAll(/^[ \t]*((?:(?:PART)?(?:UUID|LABEL)=|\/dev\/)\S+)[ \t]+(\S+)/gm)].flatMap(
    ([, device = '', mountPoint]) =>
      [device, device.replace(/=.*/, (id) => id.toLowerCase())].some((name) => made.has(name.replaceAll('"', '')))
        ? []
        : [`fstab has ${device} for ${mountPoint ?? ''}, which is not created here: without it, the boot may stop.`],
  )
}

function notesOnRoot({ system, volumes }: Manifest, target: string): string[] {
  if (!volumes.some(({ mountPoint }) => mountPoint === '/')) {
    return [
      'The root of the host is not among these volumes: add the lines of its fstab below to that of the new system.',
    ]
  }
  return [
    `Compare ${target}/etc/fstab with blkid before the first boot.`,
    ...(SELINUX_SYSTEMS.test(system.osRelease)
      ? [`If labels could not be restored, "touch ${target}/.autorelabel" has the first boot set them.`]
      : []),
  ]
}
