/** Whoever changes a module knows which tests to run, and sees whether there are any: they bear its name. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { transformSync } from 'esbuild'

const root = resolve(__dirname, '../..')
const KINDS = ['test', 'property.test', 'system.test']

/**
 * Modules that are tested as part of something larger, by the test that reaches them: each says little by itself, or cannot
 * be seen from outside. Whoever gives one a test of its own takes it off the list.
 */
const AS_PART_OF: Readonly<Record<string, readonly string[]>> = {
  // The program, run as a process.
  'main.test.ts': ['agent/cli.ts', 'agent/options/pages.io.ts', 'agent/options/start-program.io.ts'],
  'fleet/main.test.ts': ['fleet/cli.ts'],
  'docs/pages.test.ts': ['agent/pages.ts'],
  'docs/reference.test.ts': ['agent/restore/output-schema.ts', 'agent/source/output-schema.ts'],
  // The two sides of a thread.
  'archive/catalog-worker.test.ts': ['agent/archive/catalog-worker-thread.io.ts'],
  'changes/differential.property.test.ts': ['plan.io', 'spool.io'].map((name) => `agent/changes/${name}.ts`),
  'restore/differential.test.ts': ['agent/archive/whole-entries.ts'],
  'changes/walk.test.ts': ['agent/changes/walk-thread.io.ts'],
  'archive/read.test.ts': ['agent/archive/read-whole.io.ts'],
  // Steps of one command, each between a fake host and a store in memory.
  'bucket/ranged-http.test.ts': ['agent/bucket/range-connection.io.ts'],
  'source/ebs/ec2-client.test.ts': ['agent/source/ebs/ec2-requests.io.ts'],
  'source/ebs/snapshots.test.ts': [
    'agent/source/ebs/mount.io.ts',
    'agent/source/ebs/run.io.ts',
    'agent/source/ebs/runs.io.ts',
  ],
  // The page, opened in a browser.
  'fleet/report/page/browser.test.ts': [
    ...['calendar', 'charts', 'chip', 'cost', 'details', 'dom', 'filter', 'glance', 'hosts', 'lists', 'main', 'sizes'],
    ...['table', 'tasks', 'theme', 'tip'],
  ].map((name) => `fleet/report/page/${name}.io.ts`),
  'fleet/report/html.test.ts': ['fleet/report/page.io.ts', 'fleet/report/render.io.ts'],
  'fleet/audit/supersede.test.ts': ['fleet/audit/run-objects.io.ts'],
  // Requests of the auditor, between it and a stand-in for AWS.
  'fleet/audit/outlets.system.test.ts': ['fleet/audit/client.io.ts'],
  // The kernel's part of it.
  'guest/ebs.system.test.ts': ['agent/source/ebs/namespace.io.ts'],
  // Between a stand-in for Systems Manager and what an operator types.
  'fleet/command/command.test.ts': [
    'fleet/command/actions.io.ts',
    'fleet/command/cancel.io.ts',
    'fleet/command/follow.io.ts',
  ],
  'fleet/command/diff.test.ts': ['fleet/command/diff-report.ts', 'fleet/command/diff-volumes.ts'],
  'fleet/command/plan-command.test.ts': ['fleet/command/requests.ts'],
  'fleet/command/systems-manager.test.ts': ['fleet/command/ssm-errors.ts', 'fleet/command/ssm-shapes.ts'],
  'fleet/model/judge.test.ts': ['fleet/model/judge-host.ts', 'fleet/model/wording.ts'],
  'fleet/evidence/parser.test.ts': ['fleet/evidence/parse.ts', 'fleet/evidence/parser-thread.io.ts'],
  'fleet/evidence/pass.test.ts': [
    ...['hear.io', 'host-class.io', 'list-all.io', 'look.io', 'present', 'read-manifests.io', 'records-listed.io'].map(
      (name) => `fleet/evidence/${name}.ts`,
    ),
    'fleet/evidence/without.ts',
  ],
  'fleet/inventory/account.test.ts': ['account-errors', 'account-shapes', 'pages.io', 'windows.io'].map(
    (name) => `fleet/inventory/${name}.ts`,
  ),
  'fleet/inventory/explanations.test.ts': ['fleet/inventory/explain.ts'],
  'fleet/inventory/inventory.test.ts': ['fleet/inventory/join.ts'],
  'fleet/evidence/state-file.test.ts': ['fleet/evidence/state.ts', 'fleet/evidence/state-runs.ts'],
  'drill/drill.test.ts': ['agent/drill/compare.io.ts', 'agent/drill/try-run.io.ts'],
  'infra/schedules.test.ts': ['infra/command-window.ts'],
  'rebuild/rebuild.test.ts': ['agent/source/rebuild-step.ts'],
}

const modules = ['agent', 'fleet', 'infra'].flatMap((part) =>
  readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(part, file)),
)

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')

/** Modules of types and constants have nothing to test. */
function hasLogic(module: string): boolean {
  return /\bfunction\b|=>/.test(transformSync(textOf(module), { loader: 'ts', format: 'esm' }).code)
}

/** `agent/x/y.io.ts` has its tests in `test/x/y.test.ts`, or in those of the other kinds. */
function hasTests(module: string): boolean {
  const name = module.replace(/^agent\//, '').replace(/(\.io)?\.ts$/, '')
  return KINDS.some((kind) => existsSync(join(root, 'test', `${name}.${kind}.ts`)))
}

/** All that a file imports, or names to start it as a process, and what that does. */
function reachedFrom(file: string, reached = new Set<string>()): ReadonlySet<string> {
  if (reached.has(file)) return reached
  reached.add(file)
  const imported = [...textOf(file).matchAll(/'(\.\.?\/[^']+)'/g)].map(([, path]) => {
    const at = relative(root, resolve(root, dirname(file), path!))
    return at.endsWith('.mjs') ? at : `${at}.ts`
  })
  const named = [...textOf(file).matchAll(/'((?:agent|fleet)\/[\w./-]+\.ts)'/g)].map(([, path]) => path!)
  for (const next of [...imported, ...named]) if (existsSync(join(root, next))) reachedFrom(next, reached)
  return reached
}

test('every module with logic has a test of its name', () => {
  const excepted = new Set(Object.values(AS_PART_OF).flat())
  const without = modules.filter((module) => hasLogic(module) && !hasTests(module))
  expect(without.filter((module) => !excepted.has(module))).toEqual([])
})

test.each(Object.entries(AS_PART_OF))(
  'test/%s reaches what is tested as part of it, and has no other test',
  (place, parts) => {
    // prettier-ignore
    const reached = reachedFrom(join('test', place))
    expect(parts.filter((part) => !reached.has(part) || !modules.includes(part))).toEqual([])
    expect(parts.filter(hasTests)).toEqual([])
  },
)
