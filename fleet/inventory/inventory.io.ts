/** Asks every account which hosts it has. One that cannot be read is said to be so: its hosts are not known, which is not the same as there being none. */
import { asLoss } from '../../agent/errors'
import { mapUnordered } from '../../agent/lib/unordered'
import { printableLine } from '../../agent/lib/printable'
import type { FleetConfig } from '../model/config'
import type { Inventory } from '../model/records'
import { placeOfHost, shortName } from '../model/wording'
import type { Account, OpenAccount, Place } from './account'
import { joinInventory, type AccountAnswer } from './join'

const ACCOUNTS_IN_FLIGHT = 4
const PROBLEM_CHARACTERS_MAX = 300

/** What was asked, and the accounts that answered, for further questions. */
export interface AskedInventory {
  readonly inventory: Inventory
  readonly accounts: readonly { readonly place: Place; readonly account: Account }[]
}

/**
 * @param written - hosts that have runs in the bucket: whether they are still there is asked of the account that they were in
 * @throws AgentError INTERRUPTED
 */
export async function readInventory(
  openAccount: OpenAccount,
  config: FleetConfig,
  written: readonly string[],
): Promise<AskedInventory> {
  const asked = await mapUnordered(config.accounts, ACCOUNTS_IN_FLIGHT, async (place) => {
    try {
      const account = await openAccount(place)
      return { account, answer: await ask(account, place, config, written) }
    } catch (error) {
      const problem = printableLine(problemOf(error)).slice(0, PROBLEM_CHARACTERS_MAX)
      return { account: undefined, answer: { place, instances: [], nodes: [], problem } }
    }
  })
  const answers = asked.map(({ answer }) => answer)
  const accounts = asked.flatMap(({ account, answer }) => (account ? [{ place: answer.place, account }] : []))
  return { inventory: joinInventory(config, answers, written), accounts }
}

/** @throws what is wrong with all of it, and not with one account: that it was interrupted */
function problemOf(error: unknown): string {
  const code = (error as { readonly code?: string }).code
  if (code === 'INTERRUPTED') throw error
  return code === 'NO_CREDENTIALS' || code === 'CREDENTIALS_EXPIRED' || code === 'ENDPOINT_UNREACHABLE'
    ? (error as Error).message
    : asLoss(error).message
}

async function ask(
  account: Account,
  place: Place,
  config: FleetConfig,
  written: readonly string[],
): Promise<AccountAnswer> {
  const tags = config.schedules.map(({ tag }) => tag)
  const [tagged, nodes] = await Promise.all([account.findTagged(tags), account.listManagedNodes()])
  const seen = new Set(tagged.map(({ instanceId }) => instanceId))
  const others = written.filter((host) => isIn(place, host)).map(shortName)
  const rest = await account.findInstances(others.filter((instanceId) => !seen.has(instanceId)))
  return { place, instances: [...tagged, ...rest], nodes }
}

function isIn({ account, region }: Place, host: string): boolean {
  const place = placeOfHost(host)
  return place?.account === account && place.region === region
}
