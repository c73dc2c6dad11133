/** Tar is given what was planned and nothing else, and the volume's root is kept for when all is there. */
import { closeSync, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { extractPieces } from '../../agent/restore/extract-pieces.io'
import { tarExtract, tarPrint } from '../../agent/tar/commands'
import { damaged, differences, planned, read, sources, stored, target } from './fixture'

test('a whole volume, but for its root', async () => {
  await using plan = await planned({ volume: ['/srv'] })
  const [task] = plan.tasks
  const { ok, complaint, root } = await extractPieces(plan.deps, task!, tarExtract(target), {})
  expect([ok, complaint]).toEqual([true, ''])
  expect(differences(join(sources.srv, 'app'), join(target, 'app'))).toEqual([])
  expect(root).toHaveLength(stored.srv.entries.find(({ path }) => path === '.')!.bytes)
  expect(lstatSync(target).mode & 0o7777).toBe(0o700)
})

test('a file, to a descriptor', async () => {
  await using plan = await planned({ path: ['/srv/app/app.conf'], stdout: true })
  const stdout = openSync(join(target, 'printed'), 'w')
  try {
    expect(await extractPieces(plan.deps, plan.tasks[0]!, tarPrint(), { stdout })).toEqual({ ok: true, complaint: '' })
  } finally {
    closeSync(stdout)
  }
  expect(read('printed')).toBe('port 80')
})

test('a damaged frame names what is lost with it', async () => {
  await using plan = await planned({ path: ['/srv/app'] }, damaged())
  await expect(extractPieces(plan.deps, plan.tasks[0]!, tarExtract(target), {})).rejects.toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    message: expect.stringContaining('app/data/big'),
  })
})
