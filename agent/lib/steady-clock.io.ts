/**
 * A clock that is set once and then only goes forward: what is measured with it is right although the machine's clock is
 * set meanwhile, as it is at boot and after a suspension.
 */
export function steadyClock(now: () => Date): () => Date {
  const startedAt = now().getTime()
  const origin = performance.now()
  return () => new Date(startedAt + (performance.now() - origin))
}
