/** The actions there are, and what EC2 looks at before any of them. */
import { readRequest } from './authorization'
import { attachVolume, detachVolume, modifyInstanceAttribute } from './attachments'
import { Ec2Error } from './errors'
import { describeInstances, describeInstanceTypes } from './instances'
import { flag, missing, type Parameters } from './query'
import { createSnapshots, deleteSnapshot, describeSnapshots } from './snapshots'
import { createTags, deleteTags } from './tags'
import { copyVolumes, createVolume, deleteVolume, describeVolumes } from './volumes'
import type { Account } from './account'
import type { Action } from './action'
import type { Xml } from './xml'

const VERSION = '2016-11-15'
const COMMON = ['Action', 'Version', 'DryRun']

const ACTIONS = {
  AttachVolume: attachVolume,
  CopyVolumes: copyVolumes,
  CreateSnapshots: createSnapshots,
  CreateTags: createTags,
  CreateVolume: createVolume,
  DeleteSnapshot: deleteSnapshot,
  DeleteTags: deleteTags,
  DeleteVolume: deleteVolume,
  DescribeInstanceTypes: describeInstanceTypes,
  DescribeInstances: describeInstances,
  DescribeSnapshots: describeSnapshots,
  DescribeVolumes: describeVolumes,
  DetachVolume: detachVolume,
  ModifyInstanceAttribute: modifyInstanceAttribute,
} satisfies Readonly<Record<string, Action>>

export type ActionName = keyof typeof ACTIONS

/**
 * Does what a request asks for. A dry run ends once the permission is known, without a look at what ids there are.
 *
 * @throws Ec2Error
 */
export async function perform(account: Account, region: string, parameters: Parameters): Promise<Xml> {
  const name = parameters.get('Action') ?? missing('Action')
  // Whatever a policy does not allow, whether there is such an action here or not.
  if (!((await account.settings.authorize?.(readRequest(account, region, parameters))) ?? true)) throw unauthorized()
  if (!isAction(name) || parameters.get('Version') !== VERSION) {
    throw new Ec2Error('InvalidAction', `The action ${name} is not valid for this web service.`)
  }
  const action = ACTIONS[name]
  assertParameters(action, parameters)
  if (account.settings.denied.includes(name)) throw unauthorized()
  if (flag(parameters, 'DryRun')) {
    throw new Ec2Error('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.')
  }
  return action.run(account, parameters)
}

function unauthorized(): Ec2Error {
  return new Ec2Error('UnauthorizedOperation', 'You are not authorized to perform this operation.')
}

function isAction(name: string): name is ActionName {
  return Object.hasOwn(ACTIONS, name)
}

function assertParameters({ required, optional }: Action, parameters: Parameters): void {
  const names = new Set([...parameters.keys()].map((path) => path.split('.', 1)[0] ?? ''))
  for (const name of names) {
    if ([...COMMON, ...required, ...optional].includes(name)) continue
    throw new Ec2Error('UnknownParameter', `The parameter ${name} is not recognized`)
  }
  for (const name of required) if (!names.has(name)) missing(name)
}
