/** The threat model names tests that prove it: they have to be there. */
import { existsSync, readFileSync } from 'node:fs'

const named = [...new Set(readFileSync('SECURITY.md', 'utf8').match(/(?<=`)test\/[\w./-]+(?=`)/g))]

test('the threat model names its proofs', () => expect(named.length).toBeGreaterThan(8))

test.each(named)('%s is there', (path) => expect(existsSync(path)).toBe(true))
