import { compileForAgent, findPatternProblem } from '../../infra/ssm-pattern'

test.each([
  '^[a-z0-9][a-z0-9-]{0,31}$',
  '^(/[A-Za-z0-9._/@+-]*(,/[A-Za-z0-9._/@+-]*)*)?$',
  '^(|STANDARD|GLACIER_IR)$',
  '^([0-9]{2}){500}$',
  '^[0-9]{1,4}\\.[0-9]{1,4}$',
])('%s is compiled alike by all', (pattern) => {
  expect(findPatternProblem(pattern)).toBeUndefined()
})

test.each([
  ['[a-z]+', 'anchor'],
  ['^a|b$', 'outside of all groups'],
  ['^[a-z]{0,1001}$', 'invalid repeat count'],
  ['^([a-z]{0,255}){0,63}$', 'invalid repeat count'],
  ['^((a{2,10}){2,10}){2,11}$', 'invalid repeat count'],
  ['^(?=a)a$', 'unsupported Perl syntax'],
  ['^(a)\\1$', 'in common'],
  ['^\\s$', 'in common'],
  ['^.$', 'in common'],
  ['^[^a]$', 'in common'],
  ['^[a-z&&b]$', 'in common'],
  ['^[[:alpha:]]$', 'in common'],
  ['^a{,5}$', 'in common'],
  ['^é$', 'in common'],
  ['^a**$', 'nested repetition'],
  ['^(a$', 'missing closing )'],
])('%s is refused: %s', (pattern, problem) => {
  expect(findPatternProblem(pattern)).toContain(problem)
})

test('a value is looked at as the agent does, from its first character to its last', () => {
  const pattern = compileForAgent('^[a-z]$')
  expect(['a', 'a\n', '\na', 'ab', ''].map((value) => pattern.test(value))).toEqual([true, false, false, false, false])
})
