/** What changed since the base of a run, and from one differential run to the next: their catalogs list the whole tree. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { diff } from '../../../fleet/command/diff.io'
import { described, fleetDeps, fleetRequestOf } from '../../support/fleet-commands'
import { nightsOf, runOf, type Nights } from '../../support/nights'
import { makeTrustedDirectory } from '../../support/trusted-directory'

let indexes: string
let root: string
let nights: Nights

beforeEach(() => {
  indexes = makeTrustedDirectory()
  root = mkdtempSync(join(tmpdir(), 'snapstream-diff-'))
  mkdirSync(join(root, 'app'))
  for (const name of ['kept', 'changed', 'gone']) writeFileSync(join(root, 'app', name), name)
  writeFileSync(join(root, 'large'), Buffer.alloc(1 << 20))
  nights = nightsOf(root, indexes)
})
afterEach(() => [indexes, root].forEach((directory) => rmSync(directory, { recursive: true })))

async function compare(...runs: readonly string[]) {
  const { status, json } = await described('diff', diff(fleetDeps(nights.store), fleetRequestOf('diff', [...runs])))
  const { largest } = json as { largest: readonly { change: string; path: string; type: string }[] }
  const files = largest.filter(({ type }) => type !== 'directory').map(({ change, path }) => `${change} ${path}`)
  return [status, ...files.sort()]
}

test('only what is new, changed and gone is told, not what lies in the base', async () => {
  const base = await nights.full()
  writeFileSync(join(root, 'app', 'changed'), 'changed since')
  writeFileSync(join(root, 'app', 'new'), 'new')
  rmSync(join(root, 'app', 'gone'))
  const first = await nights.differential()
  expect(await compare(runOf(base), runOf(first))).toEqual([
    0,
    'changed /srv/app/changed',
    'gone /srv/app/gone',
    'new /srv/app/new',
  ])
  rmSync(join(root, 'app', 'new'))
  const second = await nights.differential()
  expect(await compare(runOf(first), runOf(second))).toEqual([0, 'gone /srv/app/new'])
})
