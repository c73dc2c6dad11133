import { z } from 'zod'
import { parseOutput } from '../../agent/host/tool-output'
import { refusal } from '../support/refusal'

const shape = z.object({ rows: z.array(z.object({ size: z.number() })) })

test('what a tool prints is read, and what is not asked for left alone', () => {
  expect(parseOutput('lvs', '{"rows":[{"size":1,"more":2}],"other":3}', shape)).toEqual({ rows: [{ size: 1 }] })
  expect(parseOutput('lvs', '[1]')).toEqual([1])
})

test.each([
  ['no JSON', 'lvs: command failed', 'the output of lvs is not understood: lvs: command failed'],
  [
    'another shape',
    '{"rows":[{"size":1},{"size":"1B"}]}',
    'the output of lvs is not understood at rows.1.size: {"rows"',
  ],
])('%s is told of by the tool, the place and what it printed', (_, printed, message) => {
  expect(refusal(() => parseOutput('lvs', printed, shape))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
    message: expect.stringContaining(message) as string,
    hint: expect.stringContaining('--version') as string,
  })
})

test('of a long answer, the beginning is enough', () => {
  expect(refusal(() => parseOutput('lvs', 'x'.repeat(10_000), shape)).message.length).toBeLessThan(300)
})
