/** Which requests EC2 would answer: it asks IAM about each resource of a request, and all of them have to be allowed. */
import { runSimulation } from '@cloud-copilot/iam-simulate'
import type { Ec2Request, Ec2Resource, Tags } from '../servers/ec2/authorization'
import type { Decision, Policy } from './simulate'
import { ACCOUNT, REGION } from './synthesize'

const arn = (name: string, account = ACCOUNT) => `arn:aws:ec2:${REGION}:${account}:${name}`
export const instanceOf = (host: string): Ec2Resource => ({ arn: host })
export const volume = (name: string, tags: Tags = {}): Ec2Resource => ({ arn: arn(`volume/vol-${name}`), tags })
export const snapshot = (name: string, tags: Tags = {}): Ec2Resource => ({
  arn: arn(`snapshot/snap-${name}`, ''),
  tags,
})
/** What is not there yet has no id: EC2 puts a wildcard in its place, of which the simulator would make a question of its own. */
export const newVolume = (tags: Tags): Ec2Resource => ({ arn: arn('volume/new'), tags })
export const newSnapshot = (tags: Tags): Ec2Resource => ({ arn: arn('snapshot/new', ''), tags })

/**
 * Whether the tags of a request are known where IAM is asked about what is there already, nobody has written down: the answer must not
 * hang on it.
 */
export async function decideEc2(host: string, policies: readonly Policy[], request: Ec2Request): Promise<Decision> {
  const decisions = await Promise.all([false, true].map((known) => decideWith(host, policies, request, known)))
  if (new Set(decisions).size > 1)
    throw new Error(`${request.action} hangs on whether the tags of the request are known`)
  return decisions[0]!
}

async function decideWith(
  host: string,
  policies: readonly Policy[],
  request: Ec2Request,
  tagsAreKnownEverywhere: boolean,
): Promise<Decision> {
  const { action, about, makes, context = {} } = request
  const given = request.requestTags ?? (tagsAreKnownEverywhere ? makes?.tags : undefined)
  const questions = [
    ...about.map((resource) => ({ action, resource, context: { ...(given && tagContext(given)), ...context } })),
    ...(makes ? questionsAbout(action, makes, context) : []),
  ]
  const answers = await Promise.all(questions.map((question) => ask(host, policies, question)))
  return answers.every((answer) => answer) ? 'allowed' : 'denied'
}

type Context = Readonly<Record<string, string | string[]>>
interface Question {
  readonly action: string
  readonly resource: Ec2Resource
  readonly context: Context
}

/** Whether it may be made, and whether it may be given its tags. */
function questionsAbout(action: string, made: Ec2Resource, context: Context): Question[] {
  const tags = made.tags ?? {}
  const resource = { arn: made.arn }
  const all = { ...tagContext(tags), ...context }
  const creation = { action, resource, context: all }
  if (Object.keys(tags).length === 0) return [creation]
  return [creation, { action: 'CreateTags', resource, context: { ...all, 'ec2:CreateAction': action } }]
}

function tagContext(tags: Tags): Context {
  const each = Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value] as const)
  return { ...Object.fromEntries(each), 'aws:TagKeys': Object.keys(tags) }
}

/** Lets the account's policies decide, as every key's does unless changed. */
const USUAL_KEY_POLICY: Policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` }, Action: 'kms:*', Resource: '*' }],
}

async function ask(
  host: string,
  policies: readonly Policy[],
  { action, resource, context }: Question,
): Promise<boolean> {
  const id = resource.arn.split('/')[1]!
  const tags = Object.entries(resource.tags ?? {}).flatMap(
    ([key, value]) =>
      [
        [`aws:ResourceTag/${key}`, value],
        [`ec2:ResourceTag/${key}`, value],
      ] as const,
  )
  const facts = resource.arn.includes(':instance/') ? { 'ec2:InstanceID': id } : {}
  const result = await runSimulation(
    {
      request: {
        principal: `arn:aws:iam::${ACCOUNT}:role/some-role`,
        action: action.includes(':') ? action : `ec2:${action}`,
        resource: { resource: resource.arn, accountId: ACCOUNT },
        contextVariables: { 'ec2:SourceInstanceARN': host, ...Object.fromEntries(tags), ...facts, ...context },
      },
      ...(resource.arn.startsWith('arn:aws:kms:') && { resourcePolicy: USUAL_KEY_POLICY }),
      identityPolicies: policies.map((policy, index) => ({ name: `policy-${index}`, policy })),
      serviceControlPolicies: [],
      resourceControlPolicies: [],
    },
    {},
  )
  if (result.resultType === 'error') throw new Error(`${action}: ${JSON.stringify(result.errors)}`)
  return result.overallResult === 'Allowed'
}

/**
 * Has a stand-in for EC2 hold a host to its policies.
 *
 * @param place - what a policy is made for, where it is not the usual account and region
 */
export function authorizeAs(
  host: string,
  policies: readonly Policy[],
  place: { readonly region: string; readonly account: string },
): (request: Ec2Request) => Promise<boolean> {
  const text = JSON.stringify(policies).replaceAll(REGION, place.region).replaceAll(ACCOUNT, place.account)
  const moved = JSON.parse(text) as readonly Policy[]
  return async (request) => (await decideEc2(host, moved, request)) === 'allowed'
}
