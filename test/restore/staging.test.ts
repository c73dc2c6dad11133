/** A killed restore leaves as much as it had restored: the next one removes it, and nothing that only has its name. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs' // prettier-ignore
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inside, openWay, type Directory } from '../../agent/restore/directory.io'
import { copyTree, takeStaging } from '../../agent/restore/staging.io'
import { localDeps } from '../support/host-deps'

let scratch: string
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'staging-'))
})
afterEach(() => rmSync(scratch, { recursive: true }))

const open = (path = scratch): Directory => openWay(path, { links: 'refuse', mode: 0o700 })

/** Takes a staging directory and gives it back. @returns what was there meanwhile, and what was logged */
async function take(): Promise<{ readonly there: readonly string[]; readonly logged: readonly string[] }> {
  const deps = localDeps()
  using parent = open()
  await using _staging = await takeStaging(deps, parent)
  return { there: readdirSync(scratch), logged: deps.logged }
}

/** As a restore of that process leaves it, when it is killed. */
function leave(processId: number, mode = 0o700): string {
  const name = `.snapstream-restore-${processId}-0123abcd`
  mkdirSync(join(scratch, name, 'tree/var'), { recursive: true })
  writeFileSync(join(scratch, name, 'tree/var/half'), 'half a file')
  chmodSync(join(scratch, name), mode)
  return name
}

/** A process that has ended: its number is free. */
const endedProcess = (): number => spawnSync('true').pid

test('only root gets in while it is there, and it goes with all that is in it', async () => {
  using parent = open()
  {
    await using staging = await takeStaging(localDeps(), parent)
    writeFileSync(inside(staging.tree, 'file'), 'text')
    const [name] = readdirSync(scratch)
    expect(name).toMatch(new RegExp(`^\\.snapstream-restore-${process.pid}-[0-9a-f]{8}$`))
    expect(lstatSync(join(scratch, name!)).mode & 0o7777).toBe(0o700)
    expect(readFileSync(join(scratch, name!, 'tree/file'), 'utf8')).toBe('text')
  }
  expect(readdirSync(scratch)).toEqual([])
})

test('what a killed restore left is removed, and the log says so', async () => {
  const left = leave(endedProcess())
  const { there, logged } = await take()
  expect(there).not.toContain(left)
  expect(logged.join('\n')).toContain(`removing ${left}, which a killed restore left behind`)
})

test('that of a process which is at work stays, and the operator is asked to look', async () => {
  const left = leave(process.ppid)
  const { logged } = await take()
  expect(existsSync(join(scratch, left, 'tree/var/half'))).toBe(true)
  expect(logged.join('\n')).toContain(`${left} belongs to process ${process.ppid}`)
})

test.each([
  ['others can get into', () => leave(endedProcess(), 0o755)],
  [
    'has more in it than a restore leaves',
    () => {
      const name = leave(endedProcess())
      writeFileSync(join(scratch, name, 'mine'), '')
      return name
    },
  ],
])('a directory of that name which %s stays', async (_, make) => {
  const name = make()
  expect((await take()).logged).toEqual([])
  expect(existsSync(join(scratch, name, 'tree/var/half'))).toBe(true)
})

test('a tree is copied with modes and times', async () => {
  for (const name of ['from', 'to']) mkdirSync(join(scratch, name))
  writeFileSync(join(scratch, 'from/file'), 'text', { mode: 0o640 })
  using from = open(join(scratch, 'from'))
  using to = open(join(scratch, 'to'))
  await copyTree(localDeps(), from, to)
  const { mode, mtimeNs } = lstatSync(join(scratch, 'to/file'), { bigint: true })
  expect(mode).toBe(0o100640n)
  expect(mtimeNs).toBe(lstatSync(join(scratch, 'from/file'), { bigint: true }).mtimeNs)
})
