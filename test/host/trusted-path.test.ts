import { chmod, chown, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findWeakness } from '../../agent/host/trusted-path.io'
import { makeTrustedDirectory } from '../support/trusted-directory'

const SOMEBODY = 1234

let root: string
beforeEach(async () => {
  root = makeTrustedDirectory()
  await mkdir(join(root, 'etc/hooks'), { recursive: true })
  await writeFile(join(root, 'etc/hooks/db'), '', { mode: 0o755 })
})
afterEach(() => rm(root, { recursive: true }))

const at = (...names: string[]) => join(root, ...names)
const file = () => at('etc/hooks/db')

test('what root alone may change is trusted', async () => {
  expect(await findWeakness(file())).toBeUndefined()
})

test.each([
  ['the file itself', 'etc/hooks/db'],
  ['the directory that it is in', 'etc/hooks'],
  ['a directory further up', 'etc'],
])('%s belongs to somebody: it is named, with the command that mends it', async (_, name) => {
  await chown(at(name), SOMEBODY, 0)
  const what = `${at(name)} belongs to user ${SOMEBODY}`
  expect(await findWeakness(file())).toEqual({ what, fix: `chown root ${at(name)}` })
})

test.each([
  ['a group', 0o775, '0775'],
  ['everybody', 0o757, '0757'],
  ['everybody, even with the sticky bit', 0o1777, '1777'],
])('%s may write into a directory on the way', async (_, mode, shown) => {
  await chmod(at('etc'), mode)
  const what = `${at('etc')} can be written by others (mode ${shown})`
  expect(await findWeakness(file())).toEqual({ what, fix: `chmod go-w ${at('etc')}` })
})

test('both are mended by one line', async () => {
  await chown(file(), SOMEBODY, 0)
  await chmod(file(), 0o666)
  expect((await findWeakness(file()))?.fix).toBe(`chown root ${file()} && chmod go-w ${file()}`)
})

test('who runs the agent as another user is trusted with files of their own, and nobody else is', async () => {
  await chown(file(), SOMEBODY, 0)
  expect(await findWeakness(file(), [SOMEBODY])).toBeUndefined()
  expect(await findWeakness(file(), [SOMEBODY + 1])).toBeDefined()
})

describe('a symbolic link', () => {
  test('is followed: what it leads through counts, whoever owns the link', async () => {
    await mkdir(at('opt'))
    await symlink('../etc/hooks', at('opt/hooks'))
    expect(await findWeakness(at('opt/hooks/db'))).toBeUndefined()
    await chmod(at('etc'), 0o777)
    expect((await findWeakness(at('opt/hooks/db')))?.what).toContain(at('etc'))
  })

  test('to an absolute path starts from the root again', async () => {
    await mkdir(at('opt'), { mode: 0o700 })
    await symlink(at('etc/hooks/db'), at('opt/db'))
    await chown(at('etc/hooks'), SOMEBODY, 0)
    expect((await findWeakness(at('opt/db')))?.what).toContain(at('etc/hooks'))
  })

  test('that leads to itself has no end', async () => {
    await symlink('loop', at('loop'))
    await expect(findWeakness(at('loop'))).rejects.toMatchObject({ code: 'ELOOP' })
  })
})

test('what is not there is told of as such, also behind what is not to be trusted', async () => {
  await chmod(at('etc'), 0o777)
  await expect(findWeakness(at('etc/hooks/app'))).rejects.toMatchObject({ code: 'ENOENT' })
})
