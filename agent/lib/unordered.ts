/**
 * Applies `work` to each item, up to `inFlight` at a time: the next one begins as soon as any has ended.
 *
 * @returns the results in the order of the items
 * @throws what `work` throws first, after everything that was begun has ended; nothing is begun after it
 */
export async function mapUnordered<Item, Result>(
  items: Iterable<Item>,
  inFlight: number,
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  const rest = [...items].entries() // shared: each worker takes what comes next
  let failure: { readonly error: unknown } | undefined
  const worker = async () => {
    for (const [index, item] of rest) {
      try {
        results[index] = await work(item)
      } catch (error) {
        failure ??= { error }
      }
      if (failure) return
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
  if (failure) throw failure.error
  return results
}
