import { execFileSync } from 'node:child_process'
import { freeBehind, freeNow, V8_FLAGS } from '../../agent/lib/buffers.io'

test('the memory of a large buffer is given back at once', () => {
  const buffer = Buffer.allocUnsafeSlow(1024 * 1024)
  freeNow(buffer)
  expect(buffer).toHaveLength(0)
})

test('a small buffer, which may share its memory with strangers, is left alone', () => {
  const neighbour = Buffer.from('neighbour')
  const buffer = Buffer.from('small')
  freeNow(buffer)
  expect([buffer.toString(), neighbour.toString()]).toEqual(['small', 'neighbour'])
})

test('each buffer lives until the next one that does not share its memory', () => {
  const use = freeBehind()
  const whole = Buffer.alloc(1024 * 1024, 1)
  const [first, second] = [whole.subarray(0, 512), whole.subarray(512)]
  use(first)
  use(second)
  expect(first).toHaveLength(512)
  use(Buffer.alloc(1024 * 1024))
  expect([first.length, second.length]).toEqual([0, 0])
})

test('V8 knows the flags that it is given: of others it complains to whoever reads the output', () => {
  const known = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' })
  for (const flag of V8_FLAGS) expect(known).toContain(`${flag.replace('--no-', '--').replace(/=.*/, '')} (`)
})
