/** The auditor's bundle as the deployment makes it, run as Lambda runs it: in a process of its own, by its handler's name. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import type { AuditorEvent } from '../../fleet/model/auditor'
import type { AgentFiles } from '../../infra/agent-distribution'
import type { StageConfig } from '../../infra/config'
import { SnapstreamStack } from '../../infra/stack'

export interface Invoked {
  /** Of the handler: what Lambda would count as an error. */
  readonly error: string | undefined
  readonly log: string
}

/** What Lambda does: requires the file, calls the handler with the event and a context, and notes how that ended. */
const BOOTSTRAP = `
const [file, name, event, account] = process.argv.slice(1)
const context = {
  invokedFunctionArn: 'arn:aws:lambda:us-east-1:' + account + ':function:auditor',
  getRemainingTimeInMillis: () => 900000 - performance.now(),
}
Promise.resolve()
  .then(() => require(file)[name](JSON.parse(event), context))
  .then(() => process.exit(0), (error) => { console.error('FAILED ' + error.stack); process.exit(1) })
`

/** The deployed function of a stage. */
export class AuditorBundle {
  private readonly directory: string
  private readonly code: string
  private readonly handler: string
  readonly variables: Readonly<Record<string, unknown>>

  constructor(config: StageConfig, files: AgentFiles) {
    this.directory = mkdtempSync(join(tmpdir(), 'snapstream-auditor-'))
    const context = { '@aws-cdk/core:annotationsInValidationReport': false }
    const app = new App({ context, outdir: this.directory })
    new SnapstreamStack(app, 'Snapstream', config, files)
    app.synth()
    const template = this.read('Snapstream.template.json') as { Resources: Record<string, FunctionResource> }
    const [resource] = Object.entries(template.Resources).filter(([id]) => id.startsWith('AuditorFunction'))
    const { Properties } = resource![1]
    const [hash = ''] = Properties.Code.S3Key.split('.')
    this.code = join(this.directory, `asset.${hash}`)
    this.handler = Properties.Handler
    this.variables = Properties.Environment.Variables
  }

  get file(): string {
    return join(this.code, `${this.handler.split('.')[0]!}.js`)
  }

  /** @param environment - in the place of what CloudFormation and Lambda would set */
  invoke(event: AuditorEvent, environment: Readonly<Record<string, string>>, account: string): Promise<Invoked> {
    const [, name] = this.handler.split('.')
    const child = spawn(process.execPath, ['-e', BOOTSTRAP, this.file, name!, JSON.stringify(event), account], {
      env: { PATH: process.env.PATH, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let log = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (log += chunk.toString()))
    return new Promise((resolve, reject) => {
      child.on('error', reject)
      child.on('close', () => resolve({ error: /^FAILED (.*)$/m.exec(log)?.[1], log }))
    })
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }

  private read(name: string): unknown {
    return JSON.parse(readFileSync(join(this.directory, name), 'utf8'))
  }
}

interface FunctionResource {
  readonly Properties: {
    readonly Handler: string
    readonly Code: { readonly S3Key: string }
    readonly Environment: { readonly Variables: Record<string, unknown> }
  }
}
