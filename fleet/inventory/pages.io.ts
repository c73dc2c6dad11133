/** Answers that come page by page, and what is said where one does not come. */
import { accountError } from './account-errors'

interface Page<T> {
  readonly items: readonly T[]
  /** Absent or empty where this is the last one. A page with nothing on it may have another after it. */
  readonly next: string | undefined
}

export async function pagesOf<T>(
  action: string,
  read: (token: string | undefined) => Promise<Page<T>>,
  pagesMax = Infinity,
): Promise<readonly T[]> {
  const all: T[] = []
  let token: string | undefined
  for (let page = 0; page < pagesMax; page++) {
    const { items, next } = await asked(action, () => read(token))
    all.push(...items)
    if (next === undefined || next === '') break
    token = next
  }
  return all
}

/** @throws AgentError */
export async function asked<Answer>(action: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask()
  } catch (error) {
    throw accountError(error, action)
  }
}
