import { formatBytes } from '../../agent/lib/text'

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [100.4 * 1024 ** 2, '100 MiB'],
  [15 * 1024 ** 3, '15 GiB'],
  [1.25 * 1024 ** 4, '1.3 TiB'],
  [3000 * 1024 ** 5, '3000 PiB'],
])('%d bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text)
})
