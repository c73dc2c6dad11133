/** What a restore is going to do follows from the bucket and the target, and to plan it changes neither. */
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { backedUp, damaged, frozen, planned, stored, target } from './fixture'

const SRV = { volume: ['/srv'] }
const APP = { path: ['/srv/app'] }

/** Somebody has a file there already. */
function occupy(mode: number): void {
  mkdirSync(join(target, 'srv'))
  writeFileSync(join(target, 'srv/mine'), 'mine')
  chmodSync(join(target, 'srv'), mode)
}

test('into a new directory all is extracted in its place', async () => {
  await using plan = await planned()
  expect(plan.tasks).toMatchObject([
    { staged: false, target: { directory: target }, states: [{ retrieval: 'readable' }] },
    { staged: false, target: { directory: `${target}/srv` }, plan: { entries: stored.srv.entries.length } },
  ])
  expect(readdirSync(target)).toEqual([])
})

test('into one that is in use it is extracted aside', async () => {
  occupy(0o755)
  await using plan = await planned(SRV)
  expect(plan.tasks).toMatchObject([{ staged: true }])
})

test.each([
  ['closed', 0o700, false],
  ['open to others', 0o755, true],
])('a restore that is resumed in a directory that is %s', async (_, mode, staged) => {
  occupy(mode)
  await using plan = await planned({ ...SRV, resume: true })
  expect(plan.tasks).toMatchObject([{ staged }])
})

test('a file to standard output comes without the directories above it', async () => {
  await using plan = await planned({ path: ['/srv/app/app.conf'], stdout: true })
  expect(plan.tasks).toMatchObject([
    { target: { directory: 'standard output' }, plan: { names: { first: ['app/app.conf'] } } },
  ])
})

test('a link in the place of a mount point is not followed', async () => {
  symlinkSync('/', join(target, 'srv'))
  await expect(planned(SRV)).rejects.toMatchObject({
    code: 'TARGET_UNFIT',
    message: `${target}/srv is not a directory, and srv/. lies below it`,
  })
})

test('a damaged frame is found before the restore with --best-effort, and only then', async () => {
  await using all = await planned(APP, damaged())
  expect(all.tasks).toMatchObject([{ plan: { lost: { count: 0 } } }])
  await using rest = await planned({ ...APP, bestEffort: true }, damaged())
  expect(rest.tasks).toMatchObject([{ plan: { lost: { count: 1, first: ['app/data/big'] } } }])
})

test('a missing segment refuses the restore, or costs what is in it', async () => {
  const store = backedUp()
  store.objects.delete(stored.srv.archive.segments[0]!.key)
  await expect(planned(SRV, store)).rejects.toMatchObject({ code: 'ARCHIVE_DAMAGED' })
  await using rest = await planned({ ...SRV, bestEffort: true }, store)
  expect(rest.tasks).toMatchObject([{ states: [], plan: { entries: 0, lost: { count: stored.srv.entries.length } } }])
})

test('what is in Glacier is planned as if it were good: nothing can be read yet', async () => {
  await using plan = await planned({ ...APP, bestEffort: true }, frozen(damaged()))
  expect(plan.tasks).toMatchObject([{ states: [{ retrieval: 'archived' }], plan: { lost: { count: 0 } } }])
})
