import { parseInvocation, type Invocation } from '../../../fleet/audit/request'
import { planFleet } from '../../../infra/fleet-config'
import { DEFAULT_STAGE } from '../../infra/synthesize'

const accounts = [{ account: '222222222222', region: 'eu-central-1' }]
const fleet = JSON.stringify(planFleet({ ...DEFAULT_STAGE, fleet: { accounts } }).config)
const usual: Invocation = {
  event: {},
  environment: {
    SNAPSTREAM_BUCKET: 'backups',
    SNAPSTREAM_TOPIC: 'arn:aws:sns:eu-west-1:111111111111:topic',
    SNAPSTREAM_STACK: 'Snapstream',
    SNAPSTREAM_PER_HOST_METRICS: 'no',
  },
  fleet,
  arn: 'arn:aws:lambda:eu-west-1:111111111111:function:auditor',
  version: '1.2.3',
}
const parse = (changes: Partial<Invocation> = {}) => parseInvocation({ ...usual, ...changes })

test('it asks the account and region that it runs in, without a role, and the others by theirs', () => {
  const { config, place, ...rest } = parse()
  expect(place).toEqual({ account: '111111111111', region: 'eu-west-1' })
  expect(config.accounts).toEqual([
    { account: '111111111111', region: 'eu-west-1' },
    { ...accounts[0]!, roleArn: 'arn:aws:iam::222222222222:role/Snapstream-inventory-eu-central-1' },
  ])
  expect(config.classes.map(({ name }) => name)).toEqual(['daily', 'weekly', 'monthly'])
  expect(rest).toEqual({
    ...{ bucket: 'backups', topicArn: 'arn:aws:sns:eu-west-1:111111111111:topic', stack: 'Snapstream' },
    ...{ perHostMetrics: false, digest: false, version: '1.2.3' },
  })
})

test('a digest is what is asked for by that word, and nothing else', () => {
  expect(parse({ event: { digest: true } }).digest).toBe(true)
  expect(parse({ event: { digest: 'yes' } as never }).digest).toBe(false)
  expect(parse({ event: null }).digest).toBe(false)
})

test('figures of each host are an option', () => {
  const environment = { ...usual.environment, SNAPSTREAM_PER_HOST_METRICS: 'yes' }
  expect(parse({ environment }).perHostMetrics).toBe(true)
})

test.each<[string, Partial<Invocation>, RegExp]>([
  ['without a bucket', { environment: {} }, /SNAPSTREAM_BUCKET is not set/],
  ['without a configuration', { fleet: undefined }, /no configuration of a fleet/],
  ['with one that is none', { fleet: '{"classes":[{}],"schedules":[]}' }, /classes\.0\.name/],
  ['nowhere', { arn: 'auditor' }, /auditor is no ARN/],
])('%s it does not begin, and says how to mend that', (_, changes, message) => {
  expect(() => parse(changes)).toThrow(message)
  expect(() => parse(changes)).toThrow(expect.objectContaining({ hint: expect.stringContaining('Deploy the stack') }))
})
