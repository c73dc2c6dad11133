/**
 * Command documents of schema 2.2, as far as Snapstream uses it: read from YAML, completed, checked, and filled in.
 *
 * The sources say everything but what the agent's table of options knows, and the values that only a deployment does: those
 * become the defaults of parameters.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import { completeDocument, SourceSchema, type DocumentSource } from './ssm-parameters'
import { compileForAgent, findPatternProblem } from './ssm-pattern'

/** Documents larger than this are refused, the values of their parameters included (Systems Manager quotas). */
export const DOCUMENT_BYTES_MAX = 64 * 1024
/** What the SSM agent takes as the name of a parameter. */
const PARAMETER_NAME = /^[a-zA-Z][a-zA-Z0-9]*$/
/** A parameter as it is written into a string of a step. */
const REFERENCE = /\{\{\s*([^}\s]+)\s*\}\}/g
const INCLUDE = /^# include: ([a-z-]+\.sh)$/

const ParameterSchema = z.strictObject({
  type: z.literal('String'),
  description: z.string().min(1),
  displayType: z.enum(['textfield', 'textarea']),
  allowedPattern: z.string().superRefine((pattern, context) => {
    const message = findPatternProblem(pattern)
    if (message !== undefined) context.addIssue({ code: 'custom', message: `${message}: ${pattern}` })
  }),
  /** Makes the console offer a choice. */
  allowedValues: z.array(z.string()).min(1).optional(),
  default: z.string().optional(),
})

const StepFlow = {
  onFailure: z.literal('exit').optional(),
  finallyStep: z.boolean().optional(),
}
/** The SSM agent fails a step whose operands are the same, or are both constants but not about the platform. */
const Precondition = z.strictObject({
  StringEquals: z
    .tuple([z.string(), z.string()])
    .refine(
      ([left, right]) => left !== right && (left === 'platformType' || `${left}${right}`.includes('{{')),
      'compare platformType with a constant, or a parameter with something else',
    ),
})
const StepName = z.string().regex(/^[a-zA-Z0-9_]{1,64}$/)

const ScriptStepSchema = z.strictObject({
  action: z.literal('aws:runShellScript'),
  name: StepName,
  precondition: Precondition,
  inputs: z.strictObject({ ...StepFlow, timeoutSeconds: z.string(), runCommand: z.array(z.string()).min(1) }),
})

const DownloadStepSchema = z.strictObject({
  action: z.literal('aws:downloadContent'),
  name: StepName,
  precondition: Precondition,
  inputs: z.strictObject({
    ...StepFlow,
    sourceType: z.literal('S3'),
    sourceInfo: z.string(),
    destinationPath: z.string().startsWith('/'),
  }),
})

const DocumentSchema = z
  .strictObject({
    schemaVersion: z.literal('2.2'),
    description: z.string().min(1),
    parameters: z.record(z.string().regex(PARAMETER_NAME), ParameterSchema),
    mainSteps: z.array(z.discriminatedUnion('action', [ScriptStepSchema, DownloadStepSchema])).min(1),
  })
  .superRefine((document, context) => {
    for (const message of problemsOf(document)) context.addIssue({ code: 'custom', message })
  })

export type CommandDocument = z.infer<typeof DocumentSchema>
export type Step = CommandDocument['mainSteps'][number]

function problemsOf(document: z.infer<typeof DocumentSchema>): string[] {
  const problems: string[] = []
  const names = document.mainSteps.map(({ name }) => name)
  if (new Set(names).size < names.length) problems.push('two steps have the same name')
  for (const [index, step] of document.mainSteps.entries()) {
    if (step.inputs.finallyStep && index < document.mainSteps.length - 1) {
      problems.push(`step ${step.name} is not the last: the SSM agent would ignore its finallyStep`)
    }
  }
  const used = new Set([...JSON.stringify(document.mainSteps).matchAll(REFERENCE)].map((match) => match[1] ?? ''))
  for (const name of used) {
    if (!(name in document.parameters)) problems.push(`{{ ${name} }} is not a parameter`)
  }
  for (const [name, { default: value, allowedPattern, allowedValues = [] }] of Object.entries(document.parameters)) {
    if (!used.has(name)) problems.push(`parameter ${name} is never used`)
    if (findPatternProblem(allowedPattern) !== undefined) continue // reported with the parameter itself
    const offered = value === undefined ? allowedValues : [value, ...allowedValues]
    const pattern = compileForAgent(allowedPattern)
    for (const wrong of offered.filter((candidate) => !pattern.test(candidate))) {
      problems.push(`'${wrong}' does not match the pattern of ${name}`)
    }
  }
  return problems
}

/**
 * Reads a document, and puts options of the agent and scripts where it names them.
 *
 * @param name - of the file in the directory, without its extension
 * @throws Error naming the file and everything that is wrong with it
 */
export function readDocument(directory: string, name: string): CommandDocument {
  const file = join(directory, `${name}.yaml`)
  const source = SourceSchema.safeParse(parse(readFileSync(file, 'utf8')))
  if (!source.success) throw new Error(`${file}: ${z.prettifyError(source.error)}`)
  const parsed = DocumentSchema.safeParse(completed(file, source.data))
  if (!parsed.success) throw new Error(`${file}: ${z.prettifyError(parsed.error)}`)
  const document = { ...parsed.data, mainSteps: parsed.data.mainSteps.map((step) => includeScripts(directory, step)) }
  const sizeBytes = Buffer.byteLength(JSON.stringify(document))
  if (sizeBytes > DOCUMENT_BYTES_MAX) throw new Error(`${file}: ${sizeBytes} bytes are more than ${DOCUMENT_BYTES_MAX}`)
  return document
}

function completed(file: string, source: DocumentSource): DocumentSource {
  try {
    return completeDocument(source)
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause })
  }
}

function includeScripts(directory: string, step: Step): Step {
  if (step.action !== 'aws:runShellScript') return step
  const runCommand = step.inputs.runCommand.map((line) => {
    const included = INCLUDE.exec(line)?.[1]
    return included === undefined ? line : readFileSync(join(directory, included), 'utf8').trimEnd()
  })
  return { ...step, inputs: { ...step.inputs, runCommand } }
}

/**
 * Fills in what the deployment knows.
 *
 * @param defaults - a value for each parameter that the operator need not know; may be tokens of CDK
 * @throws Error where a value is for a parameter that the document does not have
 */
export function withDefaults(document: CommandDocument, defaults: Readonly<Record<string, string>>): CommandDocument {
  const parameters = { ...document.parameters }
  for (const [name, value] of Object.entries(defaults)) {
    const parameter = parameters[name]
    if (!parameter) throw new Error(`'${document.description}' has no parameter ${name}`)
    parameters[name] = { ...parameter, default: value }
  }
  return { ...document, parameters }
}
