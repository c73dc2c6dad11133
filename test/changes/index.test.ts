/** Nothing hangs on the index: whatever is wrong with it, the next archive is a full one, and somebody is told why. */
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nightsOf, VOLUME, type Nights } from '../support/nights'
import { makeTrustedDirectory } from '../support/trusted-directory'

jest.setTimeout(60_000)

let indexes: string
let root: string
let nights: Nights
beforeEach(() => {
  indexes = makeTrustedDirectory()
  root = mkdtempSync(join(tmpdir(), 'snapstream-index-'))
  for (let index = 0; index < 300; index++) writeFileSync(join(root, `file ${index}`), 'x'.repeat(1000))
  nights = nightsOf(root, indexes)
})
afterEach(() => [indexes, root].forEach((directory) => rmSync(directory, { recursive: true })))

const file = () => join(indexes, 'daily', `${VOLUME}.index`)
const reason = async () => JSON.stringify(await nights.plan())

test('where nothing was archived before, there is nothing to compare with', async () => {
  expect(await reason()).toContain('there is no index of a full archive yet')
})

test('an index is there for root alone, and nothing else is left', async () => {
  await nights.full()
  expect(readdirSync(join(indexes, 'daily'))).toEqual([`${VOLUME}.index`])
  expect(await nights.plan()).toMatchObject({ entries: 301, own: 1, unchanged: 300, removed: 0 })
})

test.each<[string, (path: string) => void, string]>([
  ['cut in half', (path) => truncateSync(path, Math.floor(readFileSync(path).length / 2)), 'cannot be read'],
  ['cut by a byte', (path) => truncateSync(path, readFileSync(path).length - 1), 'cannot be read'],
  ['emptied', (path) => truncateSync(path, 0), 'cannot be read'],
  ['of one byte that is another', (path) => flip(path), 'cannot be read'],
  ['open to others', (path) => chmodSync(path, 0o666), 'cannot be trusted'],
  ['of a directory that is open to others', (path) => chmodSync(join(path, '..'), 0o777), 'cannot be trusted'],
  [
    'a link to elsewhere',
    (path) => {
      renameSync(path, `${path}.elsewhere`)
      symlinkSync(`${path}.elsewhere`, path)
    },
    'cannot be read',
  ],
  ['a directory', (path) => (rmSync(path), mkdirSync(path)), 'cannot be read'],
])('an index that is %s makes the archive a full one', async (_, damage, why) => {
  await nights.full()
  damage(file())
  expect(await reason()).toContain(why)
})

function flip(path: string): void {
  const bytes = readFileSync(path)
  const at = Math.floor(bytes.length * 0.7)
  bytes[at] = bytes[at]! ^ 1
  writeFileSync(path, bytes)
}

test('where more than half has changed, a full archive is hardly larger', async () => {
  await nights.full()
  for (let index = 0; index < 250; index++) writeFileSync(join(root, `file ${index}`), 'y'.repeat(4000))
  expect(await reason()).toContain('more than half')
})
