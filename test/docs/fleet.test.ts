/** What the documents tell operators of a fleet to run, the program takes. */
import { readFileSync } from 'node:fs'
import { parseArguments } from '../../agent/options/parse-argv'
import { resolveOptions } from '../../agent/options/resolve'
import { commandNames } from '../../agent/options/program'
import { FLEET } from '../../fleet/command/program'

const STAND_INS: Readonly<Record<string, string>> = { HOST: 'db-1', RUN: '20260131T020000Z-k3xw7a', BUCKET: 'backups' }

const commands = ['docs/fleet.md', 'docs/deploy.md', 'docs/runbook.md', 'README.md'].flatMap((document) =>
  [...readFileSync(document, 'utf8').matchAll(/^ *(?:npx )?(snapstream-fleet .*)$/gm)].map(
    ([, line]) => [document, line!.replace(/ +#.*$/, '')] as const,
  ),
)

test.each(commands)('%s: %s', (_, line) => {
  const [, ...words] = line.split(' ').map((word) => STAND_INS[word] ?? word.replaceAll("'", ''))
  const invocation = parseArguments(FLEET, words)
  if (invocation.kind === 'command')
    expect(() => resolveOptions(FLEET, invocation, { SNAPSTREAM_BUCKET: 'backups' }, {})).not.toThrow()
})

test('every command is told of in docs/fleet.md', () => {
  const text = readFileSync('docs/fleet.md', 'utf8')
  expect(
    commandNames(FLEET).filter(
      (name) => ![`npx ${FLEET.name} ${name}`, `\`${name}\``].some((named) => text.includes(named)),
    ),
  ).toEqual([])
})
