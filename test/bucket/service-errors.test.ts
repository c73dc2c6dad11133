/** Whatever a service, the SDK or the network calls an error: an operator is told what it means, and what to do. */
import {
  CREDENTIALS_EXPIRED,
  OPERATOR_RULES,
  serviceError,
  UNREACHABLE,
  type ServiceErrorRule,
} from '../../agent/bucket/service-errors'
import { AgentError } from '../../agent/errors'

const RULES: readonly ServiceErrorRule[] = [
  { names: ['Denied'], code: 'ACCESS_DENIED', message: (action, detail) => `${action}? No: ${detail}`, hint: 'Ask.' },
  ...OPERATOR_RULES,
  { names: UNREACHABLE, code: 'ENDPOINT_UNREACHABLE', hint: 'Look at the network.' },
]
const explain = (message: string, more: object) =>
  serviceError(Object.assign(new Error(message), more), 'x:Do', RULES, { code: 'SSM_FAILED', service: 'X' })

test.each<[object, string, string, string]>([
  [{ name: 'Denied' }, 'ACCESS_DENIED', 'x:Do? No: Denied: said', 'Ask.'],
  [
    { name: 'Error', code: 'ECONNRESET' },
    'ENDPOINT_UNREACHABLE',
    'x:Do failed: ECONNRESET: said',
    'Look at the network.',
  ],
  [
    { name: 'TimeoutError', code: 23 },
    'ENDPOINT_UNREACHABLE',
    'x:Do failed: TimeoutError: said',
    'Look at the network.',
  ],
  [{ name: 'Odd' }, 'SSM_FAILED', 'x:Do failed: Odd: said', 'The text after the colon is what X or the SDK said.'],
  [{ name: 'AbortError' }, 'INTERRUPTED', 'x:Do was stopped before it finished', 'Run the command again.'],
])('%j', (more, code, message, hint) => {
  expect(explain('said', more)).toMatchObject({ code, message, hint })
})

test.each(CREDENTIALS_EXPIRED)('credentials that expired are to be renewed: %s', (name) => {
  expect(explain('said', { name })).toMatchObject({
    code: 'CREDENTIALS_EXPIRED',
    hint: expect.stringContaining('aws sso login'),
  })
})

test('what is said twice is told once, and what says nothing is told by its name', () => {
  expect(explain('Odd things', { name: 'Odd' }).message).toBe('x:Do failed: Odd things')
  expect(explain('', { name: 'Odd' }).message).toBe('x:Do failed: Odd')
})

test('what is ours already stays what it is', () => {
  const ours = new AgentError('NO_CREDENTIALS', 'none', { hint: 'Get some.' })
  expect(serviceError(ours, 'x:Do', RULES, { code: 'SSM_FAILED', service: 'X' })).toBe(ours)
})
