import { absolutePath, anyPath, volumeName } from '../../agent/options/paths'
import type { OptionType } from '../../agent/options/types'

const PATHS = { absolutePath, anyPath, volumeName }

function read(kind: keyof typeof PATHS, text: string): string | undefined {
  const type: OptionType<string, undefined, string> = PATHS[kind]
  return type.schema.safeParse(type.fromText(text)).data
}

test.each<[keyof typeof PATHS, string, string]>([
  ['absolutePath', '/', '/'],
  ['absolutePath', '//', '/'],
  ['absolutePath', '/srv/', '/srv'],
  ['absolutePath', '//var///lib//', '/var/lib'],
  ['absolutePath', '/srv/..data/a..b/...', '/srv/..data/a..b/...'],
  ['absolutePath', '/größe', '/größe'],
  ['volumeName', 'vg0-home', 'vg0-home'],
  ['volumeName', '/srv/', '/srv'],
  ['anyPath', '/srv/app/', '/srv/app'],
  ['anyPath', 'app//data/', 'app/data'],
  ['anyPath', './app', 'app'],
  ['anyPath', '././/./app', 'app'],
  ['anyPath', '/', '/'],
  ['anyPath', 'a..b', 'a..b'],
  ['anyPath', '.hidden', '.hidden'],
])('%s: %s is %s', (kind, written, path) => {
  expect(read(kind, written)).toBe(path)
})

test.each<[keyof typeof PATHS, string]>([
  ['absolutePath', ''],
  ['absolutePath', 'srv'],
  ['absolutePath', './srv'],
  ['absolutePath', '/..'],
  ['absolutePath', '/srv/../etc'],
  ['absolutePath', '/srv/..//'],
  ['absolutePath', '/srv\0/etc'],
  ['volumeName', ''],
  ['volumeName', 'vg0\0home'],
  ['anyPath', ''],
  ['anyPath', '..'],
  ['anyPath', '../etc'],
  ['anyPath', 'etc/../../root'],
  ['anyPath', 'a\0b'],
])('%s: %j is none', (kind, written) => {
  expect(read(kind, written)).toBeUndefined()
})
