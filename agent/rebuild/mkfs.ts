/**
 * Options of mkfs that make such a filesystem again; of what the description does not tell, mkfs decides.
 *
 * @param description - as `describeFilesystem` printed it; empty where it is not known
 */
export function mkfsOptions(filesystem: string, description: string): string[] {
  if (filesystem === 'swap') return []
  if (filesystem === 'vfat') return fatOptions(description)
  return filesystem === 'xfs' ? xfsOptions(description) : extOptions(description)
}

/** Which of the three kinds of FAT it is, blkid says. */
function fatOptions(description: string): string[] {
  const bits = /^VERSION=FAT(12|16|32)$/m.exec(description)?.[1]
  return bits === undefined ? [] : ['-F', bits]
}

/** These say how a filesystem was left, not how it was made. */
const STATES = ['needs_recovery', 'orphan_present']

function extOptions(description: string): string[] {
  const field = (name: string): string | undefined => new RegExp(`^${name}:\\s+(\\w.*)$`, 'm').exec(description)?.[1]
  const number = (name: string): number => Number(field(name) ?? Number.NaN)
  const features = (field('Filesystem features') ?? '').split(/\s+/).filter((name) => /^[a-z0-9_]+$/.test(name))
  const made = features.filter((name) => !STATES.includes(name))
  const reservedPercent = ((number('Reserved block count') / number('Block count')) * 100).toFixed(2)
  const options: readonly (readonly [string, string | number])[] = [
    ['-b', number('Block size')],
    ['-I', number('Inode size')],
    ['-N', number('Inode count')],
    ['-m', reservedPercent],
  ]
  return [
    ...(made.length === 0 ? [] : ['-O', ['none', ...made].join(',')]),
    ...options.flatMap(([option, value]) => (Number.isNaN(Number(value)) ? [] : [option, `${value}`])),
  ]
}

/** By option of mkfs.xfs: its name for what xfs_info calls otherwise, or the same. */
const XFS_OPTIONS: readonly (readonly [option: string, names: readonly (readonly [info: string, mkfs: string])[]])[] = [
  ['-b', [['bsize', 'size']]],
  ['-m', ['crc', 'finobt', 'rmapbt', 'reflink', 'bigtime', 'inobtcount'].map((name) => [name, name])],
  [
    '-i',
    [
      ['isize', 'size'],
      ['sparse', 'sparse'],
      ['imaxpct', 'maxpct'],
      ['nrext64', 'nrext64'],
      ['exchange', 'exchange'],
    ],
  ],
  ['-n', ['ftype', 'parent'].map((name) => [name, name])],
]

function xfsOptions(description: string): string[] {
  // The block size of the data comes before that of directories and of the log.
  const value = (name: string): string | undefined => new RegExp(`\\b${name}=(\\d+)`).exec(description)?.[1]
  return XFS_OPTIONS.flatMap(([option, names]) => {
    const known = names.flatMap(([info, mkfs]) => (value(info) === undefined ? [] : [`${mkfs}=${value(info) ?? ''}`]))
    return known.length === 0 ? [] : [option, known.join(',')]
  })
}
