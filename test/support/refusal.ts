import { AgentError } from '../../agent/errors'

export type Refusal = Pick<AgentError, 'code' | 'message' | 'hint'>

/** What an operator is told. Fails where nothing is refused, or not by an AgentError. */
export function refusal(act: () => unknown): Refusal {
  try {
    act()
  } catch (error) {
    return describeRefusal(error)
  }
  throw new Error('this was accepted')
}

/** As `refusal`, of what takes its time. */
export async function refusalOf(promise: Promise<unknown>): Promise<Refusal> {
  const accepted = Symbol('accepted')
  const result = await promise.then(
    () => accepted,
    (error: unknown) => error,
  )
  if (result === accepted) throw new Error('this was accepted')
  return describeRefusal(result)
}

function describeRefusal(error: unknown): Refusal {
  if (!(error instanceof AgentError)) throw error
  return { code: error.code, message: error.message, hint: error.hint }
}
