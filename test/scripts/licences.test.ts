/** Whoever is given the agent is given the licences of all that is in it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'snapstream-licences-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

test('the bundle names every package that is in it, with the text of its licence, and still runs', () => {
  const bundle = join(directory, 'agent.cjs')
  execFileSync(process.execPath, [resolve('scripts/build.mjs'), bundle])
  const text = readFileSync(bundle, 'utf8')
  const comment = text.slice(text.lastIndexOf('\n/*\nSnapstream contains'))
  // esbuild marks where each source begins.
  const packages = new Set(
    [...text.matchAll(/^\s*\/\/ (?:.*\/)?node_modules\/((?:@[^/\n]+\/)?[^/\n]+)\//gm)].map(([, name]) => name!),
  )
  expect(packages.size).toBeGreaterThan(10)
  const { dependencies } = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages['']
  for (const name of packages) expect(comment).toMatch(new RegExp(`^${name} [0-9.]+.* \\(.+\\)$`, 'm'))
  expect(comment).toContain(`@aws-sdk/client-s3 ${dependencies['@aws-sdk/client-s3']} (Apache-2.0)`)
  expect(comment).toContain('TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION')
  expect(execFileSync(process.execPath, [bundle, '--version'], { encoding: 'utf8' })).toMatch(/^\d+\.\d+\.\d+\n$/)
}, 60_000)
