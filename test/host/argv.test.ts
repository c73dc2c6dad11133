import { execFileSync } from 'node:child_process'
import { formatArgv } from '../../agent/host/argv'

test.each([
  'plain-word_1.2:/x',
  'two words',
  "it's",
  '',
  '$(id)',
  'new\nline',
  '\x1b[2J',
  "quote ' and \\ and \x07",
  'é 😀 \u202e1',
  '\u00851',
])('%j is pasted into a shell as it is', (word) => {
  const printed = execFileSync('bash', ['-c', formatArgv(['printf', '%s', word])], { encoding: 'utf8' })
  expect(printed).toBe(word)
})

test('what a terminal would act upon is not in it', () => {
  expect(formatArgv(['restore', '--path', 'a\x1b[2J\nb'])).toBe("restore --path $'a\\033[2J\\012b'")
})
