/** At night nobody types an ARN. */
import { findHost } from '../../../fleet/model/find-host'
import { arnOf } from '../../support/fleet'
import { refusal } from '../../support/refusal'

const db = { host: arnOf('i-0aaaaaaaaaaaaaaa1'), name: 'Shop-DB' }
const web = [1, 2, 3, 4, 5, 6].map((n) => ({ host: arnOf(`i-0bbbbbbbbbbbbbbb${n}`), name: 'web' }))
const elsewhere = { host: 'mail.example.net' }
const hosts = [db, ...web, elsewhere]

test.each([db.host, 'i-0aaaaaaaaaaaaaaa1', 'Shop-DB', 'shop-db'])('%s is the same host', (wanted) => {
  expect(findHost(hosts, wanted)).toBe(db)
})

test('a host outside of AWS has one name', () => {
  expect(findHost(hosts, 'mail.example.net')).toBe(elsewhere)
})

test('whose id is the name of another is the one that is meant: names are for anybody to give', () => {
  const liar = { host: arnOf('i-0ccccccccccccccc9'), name: 'i-0aaaaaaaaaaaaaaa1' }
  expect(findHost([liar, ...hosts], 'i-0aaaaaaaaaaaaaaa1')).toBe(db)
})

test('a name that several have is not guessed', () => {
  const { code, message, hint } = refusal(() => findHost(hosts, 'web'))
  expect([code, message]).toEqual(['UNKNOWN_HOST', "6 hosts are called 'web'"])
  expect(hint).toContain(web[0]!.host)
  expect(hint).toMatch(/, …\.$/)
})

test('of a name that is misspelt, the nearest is offered; of one that is hostile, nothing reaches the terminal', () => {
  expect(refusal(() => findHost(hosts, 'shop-bd')).hint).toContain('Did you mean Shop-DB?')
  expect(refusal(() => findHost(hosts, 'x\u001b[2J')).message).toBe("no host of the fleet is called 'x?[2J'")
  expect(refusal(() => findHost([], 'web')).hint).toContain('"snapstream-fleet status" shows the hosts there are')
})

test('a host may be in an account that could not be read', () => {
  const accounts = [
    { account: '111122223333', region: 'eu-west-1' },
    { account: '444455556666', region: 'us-east-1', problem: 'AssumeRole was refused' },
  ]
  const { hint } = refusal(() => findHost(hosts, 'payroll', accounts))
  expect(hint).toMatch(/ Those of account 444455556666 in us-east-1 are not known\.$/)
})
