/** From what an operator asked for to the command that is sent: everything that can be refused is, before any host hears of it. */
import { AgentError } from '../../agent/errors'
import { DOCUMENT_USES, documentParameters, type DocumentCommand } from './documents'
import { findWrongRequest } from './requests'
import type { CommandPlan } from './systems-manager'
import { chooseTargets, type TargetRequest } from './targets'

/** How a command is sent, whatever it does. */
export interface SendRequest extends TargetRequest {
  /** Of the stack, which its documents are named after. */
  readonly stack: string
  readonly maxConcurrency: string
  readonly maxErrors: string
  readonly deliveryTimeout: number
  readonly logGroup?: string | undefined
}

/**
 * @param request - with the options of the command, by their names
 * @throws AgentError USAGE
 */
export function planCommand(
  command: DocumentCommand,
  request: SendRequest & Readonly<Record<string, unknown>>,
  region: string,
): CommandPlan {
  const wrong = findWrongRequest(command, request)
  if (wrong) throw new AgentError('USAGE', wrong.what, { hint: wrong.fix })
  const { stack, maxConcurrency, maxErrors, deliveryTimeout, logGroup } = request
  return {
    document: documentName(stack, DOCUMENT_USES[command].document),
    targets: chooseTargets(request, region),
    parameters: documentParameters(command, { ...request, ...(logGroup !== undefined && { hostLogLevel: 'info' }) }),
    maxConcurrency,
    maxErrors,
    deliverySeconds: deliveryTimeout,
    ...(logGroup !== undefined && { logGroup }),
  }
}

/** The stack names them so, for people and policies. */
export function documentName(stack: string, document: string): string {
  return `${stack}-${document}`
}
