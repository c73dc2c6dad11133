/**
 * Runs Command documents of schema 2.2 on this machine as the SSM agent does: what it checks, what it pastes where,
 * which steps run after which outcome, and that it ends a command with SIGKILL to its process group.
 */
import { DOCUMENT_BYTES_MAX, type CommandDocument, type Step } from '../../infra/ssm-document'
import { compileForAgent } from '../../infra/ssm-pattern'
import { downloadContent, runShellScript, type Download } from './steps'

export interface Invocation {
  readonly document: CommandDocument
  readonly parameters: Readonly<Record<string, string>>
  readonly commandId: string
  /** The environment of the SSM agent, which its steps inherit. */
  readonly environment: Readonly<Record<string, string>>
  /** Each step gets a directory in here. */
  readonly orchestrationDirectory: string
  readonly download: Download
  /** Cancels the command. */
  readonly signal?: AbortSignal
}

export type StepStatus = 'Success' | 'Failed' | 'TimedOut' | 'Cancelled' | 'Skipped'

export interface StepResult {
  readonly name: string
  readonly status: StepStatus
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface DocumentResult {
  readonly status: Exclude<StepStatus, 'Skipped'>
  readonly steps: readonly StepResult[]
  /** Why no step was run. */
  readonly refused?: string
}

/** Statuses of a script that the agent takes for orders, and the one that means SIGKILL to it, whoever sent that. */
const CODE = { success: 0, finishSuccessfully: 168, finishWithFailure: 169, reboot: 194, killed: 137 } as const

export async function runDocument(invocation: Invocation): Promise<DocumentResult> {
  const values = valuesOf(invocation)
  if (typeof values === 'string') return { status: 'Failed', steps: [], refused: values }

  const steps: StepResult[] = []
  const { mainSteps } = invocation.document
  let finished = false
  for (const step of mainSteps) {
    const result = await runStep(invocation, step, values, finished)
    steps.push(result)
    finished ||= ends(step, result)
  }
  return { status: overall(steps), steps }
}

/** What each parameter stands for, or why the agent would refuse the command. */
function valuesOf({ document, parameters }: Invocation): ReadonlyMap<string, string> | string {
  const unknown = Object.keys(parameters).find((name) => !(name in document.parameters))
  if (unknown !== undefined) return `the document has no parameter ${unknown}`
  const sizeBytes = Buffer.byteLength(JSON.stringify(document) + JSON.stringify(parameters))
  if (sizeBytes > DOCUMENT_BYTES_MAX) return `document and parameters have ${sizeBytes} bytes`

  const values = new Map<string, string>()
  for (const [name, parameter] of Object.entries(document.parameters)) {
    const value = parameters[name] ?? parameter.default
    if (value === undefined) return `parameter ${name} has no value`
    try {
      const pattern = compileForAgent(parameter.allowedPattern)
      if (!pattern.test(value)) return `${name} does not match ${parameter.allowedPattern}`
    } catch (error) {
      return `${name}: ${(error as Error).message}`
    }
    if (parameter.allowedValues && !parameter.allowedValues.includes(value)) return `${name} cannot be '${value}'`
    values.set(name, value)
  }
  return values
}

/**
 * Pastes values into every string, one parameter after the other, in no certain order: what a value refers to may be pasted
 * into it in its turn. A dollar sign in a value stands for a group of the agent's own pattern, of which there is none.
 */
function substitute<T>(value: T, values: ReadonlyMap<string, string>): T {
  if (typeof value === 'string') {
    let text: string = value
    for (const [name, replacement] of values) {
      const expanded = replacement.replace(/\$(\$|\{\w*\}|\w+)/g, (_, what: string) => (what === '$' ? '$' : ''))
      text = text.replace(new RegExp(`\\{\\{\\s*${name}\\s*\\}\\}`, 'g'), () => expanded)
    }
    return text as T
  }
  if (Array.isArray(value)) return value.map((item: unknown) => substitute(item, values)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, substitute(inner, values)])) as T
}

async function runStep(
  invocation: Invocation,
  source: Step,
  values: ReadonlyMap<string, string>,
  finished: boolean,
): Promise<StepResult> {
  const step = substitute(source, values)
  const not = (status: StepStatus, stderr = '') => ({ name: step.name, status, code: 0, stdout: '', stderr })
  // After a cancellation nothing runs any more, a finallyStep included.
  if (invocation.signal?.aborted) return not('Cancelled')
  if (finished && !step.inputs.finallyStep) return not('Skipped')
  const precondition = judge(source.precondition.StringEquals, step.precondition.StringEquals)
  if (precondition === 'not met') return not('Skipped')
  if (precondition !== 'met') return not('Failed', precondition)

  const output =
    step.action === 'aws:runShellScript'
      ? await runShellScript(invocation, step)
      : await downloadContent(invocation.download, step)
  if (output.code === CODE.reboot) throw new Error(`step ${step.name} would have rebooted the host`)
  return { name: step.name, status: statusOf(output.code, invocation.signal), ...output }
}

type Operands = readonly [string, string]

/** @returns what the agent fails the step for, where it neither runs nor skips it */
function judge(source: Operands, resolved: Operands): string {
  if (source[0] === source[1]) return "operator's arguments can't be identical"
  if (source.some((operand) => /\{\{\s*ssm:/.test(operand))) return "operator's arguments can't contain SSM parameters"
  const platform = source.indexOf('platformType')
  if (platform >= 0) {
    const other = 1 - platform
    if (source[other] !== resolved[other]) return 'the second argument for platformType contains document parameters'
    return source[other]?.toLowerCase() === 'linux' ? 'met' : 'not met'
  }
  if (source.every((operand, index) => operand === resolved[index]))
    return 'no argument contains a valid document parameter'
  return resolved[0] === resolved[1] ? 'met' : 'not met'
}

function statusOf(code: number, signal: AbortSignal | undefined): StepStatus {
  if (signal?.aborted) return 'Cancelled'
  if (code === CODE.killed) return 'TimedOut'
  return code === CODE.success || code === CODE.finishSuccessfully ? 'Success' : 'Failed'
}

/** A step that timed out does not count as failed here: the next one runs. */
function ends(step: Step, { status, code }: StepResult): boolean {
  if (code === CODE.finishSuccessfully || code === CODE.finishWithFailure) return true
  return status === 'Failed' && step.inputs.onFailure === 'exit'
}

function overall(steps: readonly StepResult[]): DocumentResult['status'] {
  const worst = (['Failed', 'TimedOut', 'Cancelled'] as const).find((status) =>
    steps.some((step) => step.status === status),
  )
  return worst ?? 'Success'
}
