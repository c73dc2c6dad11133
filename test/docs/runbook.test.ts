/** In an emergency nobody has time for a command line that does not work. */
import { AGENT, resolveRequest, type CommandLine } from '../../agent/options/agent'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArguments } from '../../agent/options/parse-argv'

const text = readFileSync('docs/runbook.md', 'utf8')
const commands = [...text.matchAll(/^ *```sh\n(.*?)^ *```$/gms)]
  .flatMap(([, block]) => block!.split('\n'))
  .map((line) => line.trim())
  .filter((line) => line !== '' && line !== 'cat /root/rebuild.sh' && line !== 'sh /root/rebuild.sh')

test('the runbook has commands for every kind of loss', () => {
  const used = new Set(commands.map((line) => line.split(' ')[1]))
  expect([...used].sort()).toEqual([
    'cleanup',
    'drill',
    'find',
    'list',
    'restore',
    'restore-plan',
    'restore-status',
    'verify',
  ])
})

test.each(commands)('%s', (line) => {
  const [program, ...words] = line.split(' ').map((word) => word.replaceAll("'", ''))
  expect(program).toBe('snapstream')
  const standIns: Readonly<Record<string, string>> = { BUCKET: 'backups', HOST: 'db-1', RUN: '20260131T020000Z-k3xw7a' }
  const invocation = parseArguments(
    AGENT,
    words.map((word) => standIns[word] ?? word),
  )
  expect(resolveRequest(invocation as CommandLine, {}, {})).toMatchObject({
    bucket: 'backups',
  })
})

describe('what the runbook quotes of a filesystem that is not backed up, the agent says', () => {
  const [, section = ''] = text.split(/^## A filesystem is not backed up$/m)
  const table = section
    .split(/^## /m)[0]!
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  const quotes = table.flatMap((line) => [...line.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, quote]) => quote!))
  const sources = readdirSync('agent/source', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join('agent/source', file), 'utf8'))
    .join('\n')

  test('in more than ten ways', () => {
    expect(quotes.length).toBeGreaterThan(10)
  })

  test.each(quotes)('%s', (quote) => {
    // What stands for a value of the host may be anything; the name of an action is one.
    const words = quote.replace(/^ec2:\w+/, 'ec2:…').split('…')
    const pattern = words.map((word) => word.replace(/[\^$.*+?()[\]{}|]/g, String.raw`\$&`)).join(String.raw`[^\n]*`)
    expect(sources).toMatch(new RegExp(pattern))
  })
})
