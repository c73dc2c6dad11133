/** GNU tar: how an archive is written and read, and what the installed tar must be able to do. */
import { AgentError } from '../errors'
import type { Argv } from '../context'
import { NO_TAGS, tagOptions } from './tags'

/** The first version that restores extended attributes and ACLs in every order of entries. */
const OLDEST_VERSION: readonly [major: number, minor: number] = [1, 29]

const ATTRIBUTES = ['--acls', '--selinux', '--xattrs', '--xattrs-include=*'] as const
/** Everything that a file has besides its content. Writing and reading must agree on these. */
const METADATA = ['--numeric-owner', ...ATTRIBUTES] as const

/** On a filesystem without attributes, tar complains of each file that it can set none, though none is in the archive. */
export interface ExtractMetadata {
  readonly withAttributes: boolean
}

function metadata({ withAttributes }: ExtractMetadata): readonly string[] {
  return withAttributes ? METADATA : ['--numeric-owner']
}

/**
 * `exthdr.name`: without it, the names of all extended headers contain tar's process id, and no two archives of a tree are
 * the same. With it only those that hold sparse files differ: the name that readers without sparse files see keeps the id
 * (`GNUSparseFile.<pid>`), and no option changes that.
 * Times of access and change cannot be restored and change by themselves.
 */
const PAX_OPTION = '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'

/** 1 MiB per write into the pipe. The default of 10 KiB costs a third of the throughput. */
const RECORD_BYTES = 1024 * 1024

/**
 * GNU tar descends into directories by recursion, some 800 bytes of stack for each: with the usual 8 MiB it ends in SIGSEGV
 * at a depth of 10,000, which any user can make in seconds. This takes it a hundred times deeper, and is a limit still.
 */
const STACK_BYTES = 1024 ** 3

/** How members are written, whichever they are. */
const CREATE = [
  'prlimit',
  `--stack=${STACK_BYTES}`,
  'tar',
  '--create',
  '--file=-',
  '--format=posix',
  PAX_OPTION,
  `--record-size=${RECORD_BYTES}`,
  ...METADATA,
  '--sparse',
  '--one-file-system',
] as const

/** So that two archives of a volume have what they both have in one order, and differ in time that the disk takes alone. */
const IN_ORDER = '--sort=name'

/**
 * Writes everything below a directory to standard output, with all metadata. Members are named from `.` on, so no name
 * can be taken for an option.
 *
 * Stays on the directory's own filesystem: what is mounted below it has an archive of its own, and only the mount point
 * itself is in this one. Sockets cannot be archived; tar mentions them on standard error and carries on.
 *
 * @param excludes - globs. One that starts with `/` is anchored at the directory, any other matches after each `/`;
 * `*` and `?` do not match `/`. What is below an excluded directory is excluded too.
 * @param tags - by which directories say that their contents are left out: tar tells of each on standard error
 */
export function tarCreate(directory: string, excludes: readonly string[] = [], tags = NO_TAGS): Argv {
  const left = [...tagOptions(tags), ...excludes.flatMap(excludeOptions)]
  return [...CREATE, IN_ORDER, ...left, `--directory=${directory}`, '--', '.']
}

/**
 * Writes only the members that are named on standard input, each as `tarCreate` writes it. Hard links are written as such
 * where the file's first name comes before them.
 *
 * Names end with a zero byte and are taken literally, whatever is in them.
 */
export function tarCreateListed(directory: string): Argv {
  return [
    ...CREATE,
    '--no-recursion',
    `--directory=${directory}`,
    '--null',
    '--no-unquote',
    '--verbatim-files-from',
    '--files-from=-',
  ]
}

function excludeOptions(glob: string): string[] {
  return glob.startsWith('/')
    ? ['--anchored', '--no-wildcards-match-slash', `--exclude=.${glob}`]
    : ['--no-anchored', '--no-wildcards-match-slash', `--exclude=${glob}`]
}

/**
 * The excludes of a host as they apply within one of its volumes: an anchored glob is made relative to the mount point,
 * or left out where it lies outside.
 */
export function excludesWithin(mountPoint: string, excludes: readonly string[]): string[] {
  const base = mountPoint === '/' ? '/' : `${mountPoint}/`
  return excludes.flatMap((glob) => {
    if (!glob.startsWith('/')) return [glob]
    return glob.startsWith(base) ? [glob.slice(base.length - 1)] : []
  })
}

/** Extracts an archive from standard input into a directory, with all metadata. */
export function tarExtract(directory: string, kept: ExtractMetadata = { withAttributes: true }): Argv {
  return [
    'tar',
    '--extract',
    '--file=-',
    // Reads the padding of the last record too: whoever writes into the pipe would otherwise find it broken.
    `--record-size=${RECORD_BYTES}`,
    ...metadata(kept),
    '--same-owner',
    '--same-permissions',
    // Times of directories last of all, as what is restored into them changes them again.
    '--delay-directory-restore',
    '--warning=no-timestamp',
    `--directory=${directory}`,
  ]
}

/**
 * Gives directories that are there the metadata of those in the archive on standard input. Their names may lead through
 * /proc/self/fd, as nothing else is safe from being moved meanwhile.
 */
export function tarSetDirectories(kept: ExtractMetadata): Argv {
  return [
    ...(['tar', '--extract', '--file=-'] as const),
    ...metadata(kept),
    ...[
      '--same-owner',
      '--same-permissions',
      '--delay-directory-restore',
      '--warning=no-timestamp',
      '--absolute-names',
    ],
  ]
}

/**
 * Holds a directory against the archive on standard input: content, types, sizes, owners, modes, times and links. What differs
 * is told of on standard output, a line each, and the status is 1. Attributes are not compared: tar cannot.
 *
 * @param passedOver - paths as the catalog has them, on which something else lies
 */
export function tarCompare(directory: string, passedOver: readonly string[] = []): Argv {
  return [
    ...(['tar', '--compare', '--file=-'] as const),
    `--record-size=${RECORD_BYTES}`,
    '--numeric-owner',
    `--directory=${directory}`,
    ...['--anchored', '--no-wildcards', ...passedOver.map((path) => `--exclude=./${path}`)],
  ]
}

/** Prints the content of the files in the archive on standard input, holes as zeros. */
export function tarPrint(): Argv {
  return ['tar', '--extract', '--file=-', `--record-size=${RECORD_BYTES}`, '--to-stdout']
}

export const TAR_VERSION: Argv = ['tar', '--version']

/** @throws AgentError OUTPUT_UNREADABLE if it is not GNU tar's answer */
export function parseTarVersion(text: string): string {
  const version = /^tar \(GNU tar\) (\d+\.\d+\S*)/.exec(text)?.[1]
  if (version !== undefined) return version
  throw new AgentError('OUTPUT_UNREADABLE', `tar is not GNU tar: it says '${text.split('\n', 1)[0] ?? ''}'`, {
    hint: 'Install GNU tar 1.29 or later as "tar" in PATH.',
  })
}

/** An empty archive, to see on standard error what this tar was built without. */
export const TAR_FEATURES: Argv = ['tar', '--create', '--file=-', ...METADATA, '--files-from=/dev/null']

/**
 * Why this tar cannot be used, or undefined.
 *
 * @param stderr - what `TAR_FEATURES` wrote to standard error: tar warns of what it lacks, and exits with 0
 */
export function findTarDefect(version: string, stderr: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map((word) => parseInt(word, 10))
  const [oldestMajor, oldestMinor] = OLDEST_VERSION
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
    return `tar ${version} is older than ${OLDEST_VERSION.join('.')}`
  }
  return stderr.trim() === '' ? undefined : `tar cannot keep all metadata: ${stderr.trim()}`
}
