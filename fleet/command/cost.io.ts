import { readFile } from 'node:fs/promises'
import { ExitStatus } from '../../agent/contract'
import { AgentError, hasCode } from '../../agent/errors'
import type { Outcome } from '../../agent/outcome'
import { estimateCost, type FleetCost } from '../model/cost'
import { LIST_PRICES, pricesSchema, type Prices } from '../model/prices'
import type { Observation } from '../observe.io'
import type { StorageRule } from '../vault'
import type { Request } from './commands'
import type { CommandDeps } from './context'
import { formatCost, toCostOutput, type CostOutput } from './cost'

/**
 * Sums up what the backups of the fleet cost.
 *
 * @throws AgentError CONFIG_INVALID for a file of prices that is none; as `observeFleet`
 */
export async function cost(deps: CommandDeps, request: Request<'cost'>): Promise<Outcome<CostOutput>> {
  const prices = await readPrices(request.prices)
  const seen = await deps.observe({ inventory: request.inventory })
  const output = toCostOutput(await costOf(deps, seen, prices))
  const names = new Map(
    seen.view.hosts.flatMap(({ host, name }) => (name === undefined ? [] : [[host, name] as const])),
  )
  return { status: ExitStatus.ok, summary: formatCost(output, names, deps.screen.columns), json: output }
}

/** @param prices - undefined: those that are known of the bucket's region */
export async function costOf(
  deps: CommandDeps,
  { config, histories, view, at }: Observation,
  prices: Prices | undefined,
): Promise<FleetCost> {
  const { region } = await deps.openVault()
  const rules = await readRules(deps)
  return estimateCost({ config, histories, view, rules, region, prices: prices ?? LIST_PRICES, now: at })
}

/** Undefined where these credentials may not read them. */
async function readRules({ openVault, signal }: CommandDeps): Promise<readonly StorageRule[] | undefined> {
  const { vault } = await openVault()
  try {
    return await vault.readRules(signal)
  } catch (error) {
    if (hasCode(error, 'ACCESS_DENIED')) return undefined
    throw error
  }
}

/**
 * @param file - undefined where none was named
 * @throws AgentError CONFIG_INVALID
 */
export async function readPrices(file: string | undefined): Promise<Prices | undefined> {
  if (file === undefined) return undefined
  const hint = 'See "What it costs" in docs/fleet.md for what a file of prices looks like.'
  try {
    const parsed = pricesSchema.safeParse(JSON.parse(await readFile(file, 'utf8')))
    if (parsed.success) return parsed.data
    const [issue] = parsed.error.issues
    throw new AgentError(
      'CONFIG_INVALID',
      `${file} has no prices: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
      {
        hint,
      },
    )
  } catch (cause) {
    if (cause instanceof AgentError) throw cause
    throw new AgentError('CONFIG_INVALID', `${file} cannot be read: ${(cause as Error).message}`, { hint, cause })
  }
}
