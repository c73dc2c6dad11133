/** How far this host's clock may be from the server's. */
import { AgentError } from '../errors'

/** S3 refuses requests that are off by more (S3 error code RequestTimeTooSkewed: 15 minutes), and clocks run away. */
export const SKEW_FAIL_SECONDS = 300
export const SKEW_WARN_SECONDS = 60

export const CLOCK_HINT =
  'Set the clock and keep it synchronized: start chronyd or systemd-timesyncd. S3 refuses requests whose time is 15 minutes off.'

/** @param skewSeconds - the server's clock minus ours */
export function describeSkew(skewSeconds: number): string {
  const seconds = Math.round(Math.abs(skewSeconds))
  return `this host's clock is ${seconds} s ${skewSeconds > 0 ? 'behind' : 'ahead of'} the server's`
}

/**
 * Runs are found by the time in their name: one that is named by a wrong clock would be the newest for ever, or never.
 *
 * @param skewSeconds - the server's clock minus ours
 * @throws AgentError CLOCK_SKEW
 */
export function assertClockAgrees(skewSeconds: number): void {
  if (Math.abs(skewSeconds) <= SKEW_FAIL_SECONDS) return
  throw new AgentError('CLOCK_SKEW', `${describeSkew(skewSeconds)}: nothing was backed up`, { hint: CLOCK_HINT })
}
