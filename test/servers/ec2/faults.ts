/** Requests that go wrong as a test has it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Ec2Error } from './errors'
import type { ActionName } from './actions'

export interface Fault {
  readonly action: ActionName
  /** How many requests meet it; one unless told. */
  readonly times?: number
  /** How long the answer takes longer. */
  readonly delaySeconds?: number
  /** EC2's error, `RequestLimitExceeded`; with {@link HANG_UP} the connection ends without an answer. */
  readonly code?: string
  /** Whether what was asked for is done although the answer denies it (aws/aws-sdk-java#1623). */
  readonly takesEffect?: boolean
}

/** The code of a fault whose answer never comes. */
export const HANG_UP = 'hang up'

const MESSAGES: Readonly<Record<string, string>> = {
  RequestLimitExceeded: 'Request limit exceeded.',
  Unavailable: 'The service is unavailable. Please try again shortly.',
  InternalError: 'An internal error has occurred',
}

export interface Faults {
  inject(fault: Fault): void
  /** Lets a request meet the first fault that waits for its action, if there is one. */
  meet<T>(action: string, perform: () => Promise<T>): Promise<T>
}

export function makeFaults(): Faults {
  const waiting: { readonly fault: Fault; times: number }[] = []
  return {
    inject: (fault) => void waiting.push({ fault, times: fault.times ?? 1 }),
    async meet(action, perform) {
      const next = waiting.find(({ fault, times }) => fault.action === action && times > 0)
      if (!next) return perform()
      next.times--
      const { delaySeconds = 0, code, takesEffect = false } = next.fault
      await sleep(delaySeconds * 1000, undefined, { ref: false })
      if (code === undefined) return perform()
      if (takesEffect) await perform()
      throw new Ec2Error(code, MESSAGES[code] ?? 'This was injected by the test.')
    },
  }
}
