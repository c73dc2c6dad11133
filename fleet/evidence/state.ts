/** What is remembered of a fleet from pass to pass, and how it is written: a line for each host, read as strictly as if a stranger had written it. */
import { z } from 'zod'
import { CLASS_PATTERN, HOST_PATTERN, RUN_PATTERN } from '../../agent/contract'
import { parseRuns, formatRun } from './state-runs'
import { fleetConfigSchema, type FleetConfig } from '../model/config'
import {
  HOST_STATES,
  type ClassHistory,
  type ExpectedHost,
  type HostHistory,
  type HostMemory,
  type Inventory,
} from '../model/records'

/** Raised where an older version could not read it, or would read it wrong: then it begins anew. */
export const STATE_FORMAT = 1

/** All that is remembered of a fleet. */
export interface FleetState {
  /** When the pass was that it shows, by S3's clock, in seconds. */
  readonly at: number
  /** Of the program that wrote it: another one may understand manifests that this one did not. */
  readonly version: string
  readonly config: FleetConfig
  readonly inventory: Inventory
  readonly histories: ReadonlyMap<string, HostHistory>
  readonly memories: ReadonlyMap<string, HostMemory>
}

const seconds = z.number().min(0)
const count = z.int().min(0)
const host = z.string().regex(new RegExp(HOST_PATTERN))
const className = z.string().regex(new RegExp(CLASS_PATTERN))
const run = z.string().regex(new RegExp(RUN_PATTERN))
const text = z.string()

const headerSchema = z.strictObject({
  format: z.literal(STATE_FORMAT),
  version: text,
  at: seconds,
  config: fleetConfigSchema,
  accounts: z.array(z.strictObject({ account: text, region: text, problem: text.exactOptional() })),
})

const expectedSchema = z.strictObject({
  host,
  name: text.exactOptional(),
  account: text.exactOptional(),
  region: text.exactOptional(),
  power: z.enum(['running', 'stopped', 'terminated']).exactOptional(),
  expectedBy: z.array(z.enum(['tag', 'managed', 'manifest', 'list'])),
  classes: z.array(className),
  managed: z
    .strictObject({ ping: z.enum(['online', 'lost', 'inactive']), lastPingAt: seconds.exactOptional() })
    .exactOptional(),
}) satisfies z.ZodType<ExpectedHost>

const memorySchema = z.strictObject({
  host,
  state: z.enum(HOST_STATES),
  stateSince: seconds,
  expectedSince: z.record(className, seconds),
  goneSince: seconds.exactOptional(),
  forgottenAt: seconds.exactOptional(),
}) satisfies z.ZodType<HostMemory>

const drillSchema = z.strictObject({
  class: className,
  run,
  at: seconds,
  ok: z.boolean(),
  restoreSeconds: seconds,
  restoredBytes: count,
  entries: count,
  problem: text,
  share: text.exactOptional(),
})

const detailSchema = z.strictObject({
  run,
  hostname: text,
  os: text,
  agentVersion: text,
  volumes: z.array(
    z.strictObject({
      ...{ volume: text, mountPoint: text, filesystem: text, source: text },
      ...{ entries: count, rawBytes: count, storedBytes: count, warnings: count },
    }),
  ),
  failures: z.array(z.strictObject({ volume: text, mountPoint: text, code: text, message: text, hint: text })),
  notBackedUp: z.array(z.strictObject({ mountPoint: text, filesystem: text, reason: text })),
}) satisfies z.ZodType<ClassHistory['newest']>

/** What there is to say of a host, of whatever kind. */
const lineSchema = z.strictObject({
  host,
  expected: expectedSchema.exactOptional(),
  memory: memorySchema.exactOptional(),
  drill: drillSchema.exactOptional(),
  classes: z
    .array(z.strictObject({ class: className, runs: z.array(z.unknown()), newest: detailSchema.exactOptional() }))
    .exactOptional(),
})

const endSchema = z.strictObject({ hosts: count })

/** The lines of the file, without their ends: a header, the hosts, and how many there were. */
export function* formatState(state: FleetState): Generator<string, void, undefined> {
  const { at, version, config, inventory, histories, memories } = state
  yield JSON.stringify({ format: STATE_FORMAT, version, at, config, accounts: inventory.accounts })
  const expected = new Map(inventory.hosts.map((each) => [each.host, each]))
  const hosts = [...new Set([...histories.keys(), ...memories.keys(), ...expected.keys()])].sort()
  for (const name of hosts) {
    const history = histories.get(name)
    const classes = history?.classes.map((each) => ({ ...each, runs: each.runs.map(formatRun) }))
    const drill = history?.drill
    yield JSON.stringify({ host: name, expected: expected.get(name), memory: memories.get(name), drill, classes })
  }
  yield JSON.stringify({ hosts: hosts.length })
}

/** Takes the lines one after the other. */
export interface StateParser {
  /** @throws Error where the line is not what comes next in a state of this format */
  push(line: string): void
  /** @throws Error where something is missing */
  finish(): FleetState
}

export function stateParser(): StateParser {
  let header: z.infer<typeof headerSchema> | undefined
  let hosts: number | undefined
  let seen = 0
  const expected: ExpectedHost[] = []
  const histories = new Map<string, HostHistory>()
  const memories = new Map<string, HostMemory>()

  const takeHost = (value: unknown): void => {
    const line = lineSchema.parse(value)
    seen++
    if (line.expected) expected.push(line.expected)
    if (line.memory) memories.set(line.host, line.memory)
    if (!line.classes) return
    const classes = line.classes.map((each): ClassHistory => ({ ...each, runs: parseRuns(each.runs) }))
    histories.set(line.host, { host: line.host, classes, ...(line.drill && { drill: line.drill }) })
  }

  return {
    push(line) {
      const value: unknown = JSON.parse(line)
      if (!header) header = headerSchema.parse(value)
      else if (hosts !== undefined) throw new Error('something follows its end')
      else if (endSchema.safeParse(value).success) ({ hosts } = endSchema.parse(value))
      else takeHost(value)
    },
    finish() {
      if (!header || hosts === undefined || hosts !== seen) throw new Error('its end is missing')
      const { at, version, config, accounts } = header
      return { at, version, config, inventory: { hosts: expected, accounts }, histories, memories }
    },
  }
}
