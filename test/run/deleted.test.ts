import { fit } from '../../agent/lib/text'
import { AgentError } from '../../agent/errors'
import { formatOffer, insertLine, hintAtDeleted } from '../../agent/run/deleted'

const run = (letter: string) => `manifests/daily/db-1/20260131T020000Z-${letter.repeat(6)}.json`
const segment = 'data/daily/db-1/20260131T020000Z-aaaaaa/vg0-srv.tar.zst'

test.each([
  [[run('a')], 'run 20260131T020000Z-aaaaaa; --include-deleted reads it'],
  [[segment, run('b')], `${segment}, run 20260131T020000Z-bbbbbb; --include-deleted reads them`],
  [
    ['a', 'b', 'c', 'd', 'e'].map(run),
    'run 20260131T020000Z-aaaaaa, run 20260131T020000Z-bbbbbb, run 20260131T020000Z-cccccc and 2 more; ' +
      '--include-deleted reads them',
  ],
])('%# what is offered is named, runs by their names', (keys, names) => {
  expect(formatOffer(keys)).toBe(`  deleted or expired, but still there: ${names}`)
})

test('an error stays what it is, and its hint begins with the way out', () => {
  const error = new AgentError('ARCHIVE_DAMAGED', 'x is missing', { hint: 'Restore the rest.' })
  expect(hintAtDeleted(error, [segment])).toMatchObject({
    code: 'ARCHIVE_DAMAGED',
    message: 'x is missing',
    hint: `${segment} was deleted, but can still be read: run the command again with --include-deleted. Restore the rest.`,
  })
})

test('the line is put where it is read, however long the summary is', () => {
  const summary = ['verdict', ...Array.from({ length: 300 }, (_, index) => `  row ${index}`), 'last'].join('\n')
  const lines = insertLine(summary, '  the line').split('\n')
  expect(lines.slice(0, 3)).toEqual(['verdict', '  the line', '  row 0'])
  expect(lines.at(-1)).toBe('last')
  expect(fit(lines.join('\n')).split('\n').slice(0, 2)).toEqual(['verdict', '  the line'])
})
