/** A signal for what only its end or a time limit ends. A new one each time: one that is shared would keep its listeners. */
export function neverAborted(): AbortSignal {
  return new AbortController().signal
}
