import type { Entry } from './entry'

/** One thing in which two trees differ. */
export interface Difference {
  readonly path: string
  /** `missing`, `extra`, or which of the entry's properties differs. */
  readonly what: string
  /** As JSON; absent where there is none. */
  readonly expected?: string | undefined
  readonly actual?: string | undefined
}

const WHAT: readonly (readonly [keyof Entry, string])[] = [
  ['kind', 'kind'],
  ['mode', 'mode'],
  ['uid', 'owner'],
  ['gid', 'group'],
  ['mtime', 'modification time'],
  ['links', 'number of names'],
  ['linkedTo', 'hard link'],
  ['sizeBytes', 'size'],
  ['sha256', 'content'],
  ['data', 'holes'],
  ['target', 'link target'],
  ['device', 'device number'],
]

const XATTR_WHAT: Readonly<Record<string, string>> = {
  'system.posix_acl_access': 'access ACL',
  'system.posix_acl_default': 'default ACL',
  'security.selinux': 'SELinux label',
  'security.capability': 'capabilities',
}

/** Every difference between two walks, in the order of the expected tree, then what is extra. */
export function compareTrees(expected: readonly Entry[], actual: readonly Entry[]): Difference[] {
  const found = new Map(actual.map((entry) => [entry.path, entry]))
  const wanted = new Set(expected.map(({ path }) => path))
  return [
    ...expected.flatMap((entry) => {
      const other = found.get(entry.path)
      return other ? compareEntries(entry, other) : [{ path: entry.path, what: 'missing' }]
    }),
    ...actual.filter(({ path }) => !wanted.has(path)).map(({ path }) => ({ path, what: 'extra' })),
  ]
}

function compareEntries(expected: Entry, actual: Entry): Difference[] {
  const names = new Set([...Object.keys(expected.xattrs ?? {}), ...Object.keys(actual.xattrs ?? {})])
  const pairs = [
    ...WHAT.map(([key, what]) => ({ what, expected: toJson(expected[key]), actual: toJson(actual[key]) })),
    ...[...names].map((name) => ({
      what: XATTR_WHAT[name] ?? `attribute ${name}`,
      expected: toJson(expected.xattrs?.[name]),
      actual: toJson(actual.xattrs?.[name]),
    })),
  ]
  return pairs.filter((pair) => pair.expected !== pair.actual).map((pair) => ({ path: expected.path, ...pair }))
}

function toJson(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value)
}
