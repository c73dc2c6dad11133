/** What all clients of the auditor have in common. */

/** Services say to some requests that there are too many: each is asked again, later each time. */
const ATTEMPTS = 8
const CONNECT_MILLISECONDS = 10_000
const REQUEST_MILLISECONDS = 60_000

/** The endpoint and the credentials are what AWS's variables say. */
export function patientClient(region: string) {
  return {
    region,
    maxAttempts: ATTEMPTS,
    retryMode: 'adaptive',
    requestHandler: { connectionTimeout: CONNECT_MILLISECONDS, requestTimeout: REQUEST_MILLISECONDS },
  } as const
}

/** What is on the pages of an answer. */
export async function itemsOf<Page, Item>(
  pages: AsyncIterable<Page>,
  of: (page: Page) => readonly Item[] | undefined,
): Promise<Item[]> {
  const items: Item[] = []
  for await (const page of pages) items.push(...(of(page) ?? []))
  return items
}
