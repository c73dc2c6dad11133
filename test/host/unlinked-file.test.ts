import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openUnlinkedFile } from '../../agent/host/unlinked-file.io'
import { refusalOf } from '../support/refusal'

let place: string
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'place-'))
})
afterEach(() => rmSync(place, { recursive: true }))

test('a nameless file is written and read, and cannot be found', async () => {
  await using file = await openUnlinkedFile(place)
  await file.append(Buffer.from('first '))
  await file.append(Buffer.from('second'))
  expect(file.sizeBytes).toBe(12)
  expect(String(await file.read(6, 6))).toBe('second')
  expect(String(await file.read(0, 5))).toBe('first')
  expect(readdirSync(place)).toEqual([])
})

test('more than it has is not made up', async () => {
  await using file = await openUnlinkedFile(place)
  await file.append(Buffer.from('0123'))
  await expect(file.read(2, 3)).rejects.toThrow('there are only 2 of 3 bytes at 2')
})

test('what there is no room for is refused before the disk is full', async () => {
  const refused = (where: string, hint: string) => ({
    code: 'TARGET_UNFIT',
    message: expect.stringMatching(`cannot be kept in ${where}: it takes 1024 PiB, and .* are free`) as string,
    hint,
  })
  expect(await refusalOf(openUnlinkedFile(place, 2 ** 60))).toMatchObject(refused(place, 'Make room there.'))
  const inTmpdir = refused(tmpdir(), 'Set TMPDIR to a directory with room.')
  expect(await refusalOf(openUnlinkedFile(undefined, 2 ** 60))).toMatchObject(inTmpdir)
  expect(readdirSync(place)).toEqual([])
})
