/** What a hosted runner does with the project's own hands. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface Step {
  readonly uses?: string
  readonly run?: string
}
interface Workflow {
  readonly permissions: unknown
  readonly jobs: Readonly<Record<string, { readonly permissions?: unknown; readonly steps: readonly Step[] }>>
}

const DIRECTORY = '.github/workflows'
const files = readdirSync(DIRECTORY)
const read = (file: string) => parse(readFileSync(join(DIRECTORY, file), 'utf8')) as Workflow

test.each(files)('%s uses no action by a name that can be moved', (file) => {
  const actions = Object.values(read(file).jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []))
  expect(actions.filter((action) => !/@[0-9a-f]{40}$/.test(action))).toEqual([])
})

test.each(files)('%s lets no job write that runs code of the project', (file) => {
  const { permissions, jobs } = read(file)
  expect(permissions).toEqual({ contents: 'read' })
  for (const [name, { permissions: own, steps }] of Object.entries(jobs)) {
    if (own === undefined) continue
    const code = steps.filter(({ uses = '', run = '' }) => uses.includes('/checkout@') || /\bnpm\b|\.ci\//.test(run))
    expect([name, code]).toEqual([name, []])
  }
})
