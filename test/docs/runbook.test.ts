/** In an emergency nobody has time for a command line that does not work. */
import { AGENT, resolveRequest, type CommandLine } from '../../agent/options/agent'
import { readFileSync } from 'node:fs'
import { parseArguments } from '../../agent/options/parse-argv'

const text = readFileSync('docs/runbook.md', 'utf8')
const commands = [...text.matchAll(/^ *```sh\n(.*?)^ *```$/gms)]
  .flatMap(([, block]) => block!.split('\n'))
  .map((line) => line.trim())
  .filter((line) => line !== '' && line !== 'cat /root/rebuild.sh' && line !== 'sh /root/rebuild.sh')

test('the runbook has commands for every kind of loss', () => {
  const used = new Set(commands.map((line) => line.split(' ')[1]))
  expect([...used].sort()).toEqual(['cleanup', 'find', 'list', 'restore', 'restore-plan', 'restore-status', 'verify'])
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
