/** What `sfdisk --dump` prints of the disks of hosts. */
import { partitionDevice } from '../../agent/source/disks/table'

/** A place for GRUB's code, an ESP, /boot and a root, as sfdisk 2.38.1 prints it. */
export function gptTable(disk: string): string {
  const partition = (number: number) => partitionDevice(disk, number)
  return `label: gpt
label-id: 2C015F72-B5D5-1948-B12A-A01FC0576EB7
device: ${disk}
unit: sectors
first-lba: 2048
last-lba: 4194270
sector-size: 512

${partition(1)} : start=        2048, size=        2048, type=21686148-6449-6E6F-744E-656564454649, uuid=CC63446A-4238-C844-B56D-48242883C303
${partition(2)} : start=        4096, size=      131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=A6A7DE96-52A6-654A-AAEF-97123FD8C541, name="EFI"
${partition(3)} : start=      135168, size=      409600, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=3ABE5984-EFA1-9541-B725-08647A1FAC89, name="boot"
${partition(4)} : start=      544768, size=      204800, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=0D02CDD3-7C9C-4C4C-9167-5E31CE7BECC7, name="root"
`
}

/** A root, and swap in a partition within another. */
export function dosTable(disk: string): string {
  const partition = (number: number) => partitionDevice(disk, number)
  return `label: dos
label-id: 0x1b2c3d4e
device: ${disk}
unit: sectors
sector-size: 512

${partition(1)} : start=        2048, size=      204800, type=83, bootable
${partition(2)} : start=      206848, size=      409600, type=5
${partition(5)} : start=      208896, size=      102400, type=82
`
}
