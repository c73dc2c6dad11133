import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { App } from 'aws-cdk-lib'
import { findAgentFiles, readAuditorDefine } from './agent-files'
import { STAGES } from './config'
import { SnapstreamStack } from './stack'

const root = join(__dirname, '..')
const app = new App()
const stage = (app.node.tryGetContext('stage') as string | undefined) ?? 'default'
const config = STAGES[stage]
if (!config) throw new Error(`there is no stage '${stage}': infra/config.ts has ${Object.keys(STAGES).join(', ')}`)

// What is deployed is what the sources say now.
execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { cwd: root, stdio: 'inherit' })
const files = { ...findAgentFiles(root, config.nodeRuntime ?? 'bundled'), define: readAuditorDefine(root) }
new SnapstreamStack(app, stage === 'default' ? 'Snapstream' : `Snapstream-${stage}`, config, files)
