import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openUnlinkedFile } from '../../agent/host/unlinked-file.io'
import { takeTemporaryDirectory } from '../../agent/host/temporary-directory.io'
import { refusalOf } from '../support/refusal'

let place: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'place-'))
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

test('a temporary directory is ours alone, and gone afterwards with what is in it', async () => {
  {
    await using directory = await takeTemporaryDirectory(place)
    writeFileSync(join(directory.path, 'file'), '')
    expect(statSync(directory.path).mode & 0o777).toBe(0o700)
  }
  expect(readdirSync(place)).toEqual([])
})

test.each<[string, (inside: string) => Promise<unknown>]>([
  ['a temporary directory', takeTemporaryDirectory],
  ['a nameless file', openUnlinkedFile],
])('where there is no place for it, %s is refused with what to do, and not as a defect', async (_, take) => {
  rmSync(place, { recursive: true })
  expect(await refusalOf(take(place))).toMatchObject({
    code: 'TARGET_UNFIT',
    message: expect.stringMatching(/^no temporary directory can be made in .*ENOENT/),
    hint: expect.stringMatching(/set TMPDIR/),
  })
})
