/** An archive held against the tree that it was made from, which somebody has changed behind its back. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Argv } from '../../agent/context'
import { localHost } from '../../agent/host/run-command.io'
import { tarCreate } from '../../agent/tar/commands'
import { sourceChecker } from '../../agent/verify/source-check.io'

let root: string
let command: Argv
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'source-check-'))
  mkdirSync(join(root, 'directory'))
  writeFileSync(join(root, 'directory/file'), 'content', { mode: 0o640 })
  writeFileSync(join(root, 'last'), 'x'.repeat(5000))
  symlinkSync('last', join(root, 'link'))
  writeFileSync(join(root, 'sparse'), 'start')
  truncateSync(join(root, 'sparse'), 1 << 20)
  for (const path of ['directory/file', 'last', 'sparse', 'directory', '.']) utimesSync(join(root, path), 1, 1)
  const argv = tarCreate(root)
  command = [...argv.slice(0, -2), '--sort=name', '--', '.'] as unknown as Argv
})
afterEach(() => rmSync(root, { recursive: true }))

const archive = () => execFileSync(command[0], command.slice(1), { maxBuffer: 16 << 20 })

async function checked(tar: Buffer, pieceBytes = 1 << 20) {
  const found: string[] = []
  const report = (what: string) => void found.push(what)
  await using checker = await sourceChecker({ host: localHost, signal: new AbortController().signal }, command, report)
  for (let at = 0; at < tar.length; at += pieceBytes) await checker.push(tar.subarray(at, at + pieceBytes))
  await checker.finish()
  return { found, compared: checker.compared() }
}

/** As it was, but for this: the times of what lies around it stay. */
async function changed(change: () => void, ...touched: string[]) {
  const tar = archive()
  change()
  for (const path of [...touched, 'directory', '.']) utimesSync(join(root, path), 1, 1)
  return checked(tar)
}

test.each([513, 4096, 1 << 20])(
  'what has not changed is the same to the byte, in pieces of %i bytes',
  async (bytes) => {
    expect(await checked(archive(), bytes)).toEqual({ found: [], compared: 6 })
  },
)

test('headers that two readings of the snapshot share are the same, too', async () => {
  // With the fractions of their times, each has three blocks of them: some lie across the end of a MiB.
  for (let index = 0; index < 1500; index++) writeFileSync(join(root, `empty-${index}`), '')
  expect(await checked(archive())).toEqual({ found: [], compared: 1506 })
})

test.each<[string, () => void, string[], RegExp]>([
  ['one byte of content', () => writeFileSync(join(root, 'directory/file'), 'contenT'), ['directory/file'], /^'directory\/file' is not what the snapshot has: its content or attributes differ$/], // prettier-ignore
  ['an attribute', () => execFileSync('setfattr', ['-n', 'user.a', '-v', 'b', join(root, 'last')]), ['last'], /^'last' is not what the snapshot has: .*xattrs/], // prettier-ignore
  ['a mode', () => chmodSync(join(root, 'directory/file'), 0o600), [], /: mode 0600 is 0640 in the archive$/],
  ['a time', () => utimesSync(join(root, 'last'), 1, 2), [], /: mtime "2" is "1" in the archive$/],
  ['a hole that became zeros', () => writeFileSync(join(root, 'sparse'), Buffer.concat([Buffer.from('start'), Buffer.alloc((1 << 20) - 5)])), ['sparse'], /^'sparse' is not what the snapshot has: /], // prettier-ignore
])('%s is found, and every other entry compared', async (_, change, touched, expected) => {
  const { found, compared } = await changed(change, ...touched)
  expect(found).toEqual([expect.stringMatching(expected)])
  expect(compared).toBe(6)
})

test('a size that has changed does not bring what comes behind it out of step', async () => {
  const { found, compared } = await changed(() => appendFileSync(join(root, 'directory/file'), 'x'.repeat(9000)))
  expect(found).toEqual([expect.stringMatching(/^'directory\/file' is not what the snapshot has: size 9007 is 7/)])
  expect(compared).toBe(6)
})

test('an entry that only the archive has is told of once: what follows cannot be paired', async () => {
  const { found, compared } = await changed(() => rmSync(join(root, 'last')))
  expect(found).toEqual(["the archive has 'last' where the snapshot has 'link'"])
  expect(compared).toBe(3)
})

test('the last of them, too', async () => {
  const { found } = await changed(() => rmSync(join(root, 'sparse')))
  expect(found).toEqual(["the archive has 'sparse' where the snapshot has nothing more"])
})

test('an entry that only the snapshot has is told of', async () => {
  const { found } = await changed(() => linkSync(join(root, 'last'), join(root, 'zzz')))
  expect(found).toEqual([expect.stringMatching(/^'zzz' is in the snapshot, .* not in the archive$/)])
})

test('a checker that is given up before its end leaves no tar behind', async () => {
  writeFileSync(join(root, 'zzz'), Buffer.alloc(8 << 20, 'z')) // more than a pipe holds
  const running = () => execFileSync('ps', ['-e', '-o', 'args'], { encoding: 'utf8' }).includes(root)
  {
    await using checker = await sourceChecker({ host: localHost, signal: new AbortController().signal }, command, () => undefined) // prettier-ignore
    expect([running(), checker.compared()]).toEqual([true, 0])
  }
  expect(running()).toBe(false)
})
