/**
 * Systems Manager as far as it knows nodes and their compliance, of which moto knows nothing: takes what AWS would take, and refuses
 * the rest.
 */
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { serve } from './http-server'

export interface PutCompliance {
  readonly ResourceId: string
  readonly ResourceType: string
  readonly ComplianceType: string
  readonly ExecutionSummary: { readonly ExecutionTime: number; readonly ExecutionType?: string }
  readonly UploadType?: string
  readonly Items: readonly {
    readonly Id?: string
    readonly Title?: string
    readonly Severity: string
    readonly Status: string
    readonly Details?: Readonly<Record<string, string>>
  }[]
}

export interface NodeService extends AsyncDisposable {
  readonly endpoint: string
  /** Nodes that are online; undefined where nobody may ask. */
  managed: readonly string[] | undefined
  /** By node: what was said of it last. */
  readonly compliance: Map<string, PutCompliance>
  /** So many requests are told that there are too many. */
  throttled: number
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly type: string
}

const JSON_TYPE = 'application/x-amz-json-1.1'
const OF_THE_CONNECTION = ['host', 'connection', 'content-length', 'transfer-encoding', 'expect']

/** @param forwardTo - who answers everything else */
export async function startNodeService(forwardTo?: string): Promise<NodeService> {
  const compliance = new Map<string, PutCompliance>()
  const server = await serve((request, response) => {
    void answer(request).then(({ status, body, type }) => {
      response.writeHead(status, { 'content-type': type })
      response.end(body)
    })
  })
  async function answer(request: IncomingMessage): Promise<Answer> {
    const body = await text(request)
    const target = String(request.headers['x-amz-target'])
    if (target === 'AmazonSSM.DescribeInstanceInformation') {
      if (!service.managed)
        return refuse('AccessDeniedException', 'not authorized to perform: ssm:DescribeInstanceInformation')
      const LastPingDateTime = Math.floor(Date.now() / 1000)
      const InstanceInformationList = service.managed.map((InstanceId) => ({
        ...{ InstanceId, PingStatus: 'Online', LastPingDateTime, ResourceType: 'EC2Instance' },
      }))
      return { status: 200, body: JSON.stringify({ InstanceInformationList }), type: JSON_TYPE }
    }
    if (target === 'AmazonSSM.ListCommandInvocations') {
      return { status: 200, body: JSON.stringify({ CommandInvocations: [] }), type: JSON_TYPE }
    }
    if (target !== 'AmazonSSM.PutComplianceItems') {
      if (forwardTo === undefined) return refuse('UnknownOperationException', target)
      const headers = Object.fromEntries(
        Object.entries(request.headers)
          .filter(([name]) => !OF_THE_CONNECTION.includes(name))
          .map(([name, value]) => [name, String(value)]),
      )
      const method = request.method!
      const from = await fetch(`${forwardTo}${request.url!}`, { method, headers, ...(body !== '' && { body }) })
      return { status: from.status, body: await from.text(), type: from.headers.get('content-type') ?? '' }
    }
    if (service.throttled > 0) {
      service.throttled -= 1
      return refuse('ThrottlingException', 'Rate exceeded')
    }
    const put = JSON.parse(body) as PutCompliance
    const problem = problemOf(put)
    if (problem !== undefined) return refuse('ValidationException', problem)
    compliance.set(put.ResourceId, put)
    return { status: 200, body: '{}', type: JSON_TYPE }
  }
  const service: NodeService = {
    endpoint: server.url,
    managed: [],
    compliance,
    throttled: 0,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
  return service
}

function refuse(code: string, message: string): Answer {
  return { status: 400, body: JSON.stringify({ __type: code, message }), type: JSON_TYPE }
}

/** API_PutComplianceItems and API_ComplianceItemEntry. */
function problemOf({ ResourceId, ResourceType, ComplianceType, ExecutionSummary, Items }: PutCompliance) {
  if (!/^m?i-[0-9a-f]{8,40}$/.test(ResourceId)) return `${ResourceId} is no node`
  if (ResourceType !== 'ManagedInstance') return `there is no resource type ${ResourceType}`
  if (!/^[A-Za-z0-9_-]\w+|Custom:[a-zA-Z0-9_-]{1,100}$/.test(ComplianceType)) return 'that is no type'
  if (!(ExecutionSummary.ExecutionTime > 0)) return 'it does not say when'
  if (Items.length > 10_000) return 'these are too many items'
  for (const { Id = '', Title = '', Severity, Status, Details = {} } of Items) {
    if (!/^\S{1,100}$/.test(Id)) return `${Id} is no id of an item`
    if (Title.length > 500) return 'the title is too long'
    if (!['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNSPECIFIED'].includes(Severity)) return Severity
    if (!['COMPLIANT', 'NON_COMPLIANT'].includes(Status)) return Status
    const isWrong = ([key, value]: [string, string]) => !/^.{1,64}$/.test(key) || value.length > 4096
    if (Object.entries(Details).some(isWrong)) return 'the details are too long'
  }
  return undefined
}
