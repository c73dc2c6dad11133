/** Every command of the operators' program, as data, and what each can be asked to do. */
import type { Command } from '../../agent/options/program'
import { RUN_COMMANDS } from './run-commands'
import type { OptionName, OPTIONS } from './table'

/** Every command has these. */
export const COMMON = ['bucket', 'region', 'endpointUrl', 'json', 'logLevel', 'config'] as const

export const COMMANDS = {
  status: {
    summary: 'show which hosts have no good backup, why, and what to do; status 3 where there are any',
    options: [...COMMON, 'inventory', 'only', 'limit', 'watch'],
    required: ['bucket'],
    withoutDefault: [],
  },
  host: {
    summary: 'show one host: its runs, volumes, what was left out, what went wrong last and what to do',
    options: [...COMMON, 'inventory', 'host', 'limit'],
    argument: 'host',
    required: ['bucket', 'host'],
    withoutDefault: ['limit'],
    byDefault: '8 of each class by default',
  },
  report: {
    summary: 'write the fleet to one page of HTML, or to a table',
    options: [...COMMON, 'inventory', 'html', 'csv', 'prices'],
    required: ['bucket'],
    withoutDefault: [],
  },
  cost: {
    summary: 'sum up what the backups cost in a month, and what they would in other storage classes',
    options: [...COMMON, 'inventory', 'prices'],
    required: ['bucket'],
    withoutDefault: [],
  },
  ...RUN_COMMANDS,
  diff: {
    summary: 'show what is new, changed and gone from one run to another, by their catalogs',
    options: [...COMMON, 'runs', 'volume', 'limit', 'list', 'trustTimes'],
    argument: 'runs',
    required: ['bucket', 'runs'],
    withoutDefault: [],
  },
  forget: {
    summary: 'say that a host needs no backups any more: then its last ones may expire',
    options: [...COMMON, 'inventory', 'host', 'confirm'],
    argument: 'host',
    required: ['bucket', 'host'],
    withoutDefault: [],
  },
  debris: {
    summary: 'sum up what lies in the bucket and is of no finished run, host by host',
    options: [...COMMON, 'class'],
    required: ['bucket'],
    withoutDefault: [],
  },
} as const satisfies Record<string, Command<OptionName>>

export type CommandName = keyof typeof COMMANDS

type Value<K extends OptionName> = (typeof OPTIONS)[K]['default']

/** What a command was asked to do: a value for each of its options, checked and converted. */
export type Request<C extends CommandName> = { readonly command: C } & {
  readonly [K in (typeof COMMANDS)[C]['options'][number]]: K extends (typeof COMMANDS)[C]['required'][number]
    ? Exclude<Value<K>, undefined>
    : K extends (typeof COMMANDS)[C]['withoutDefault'][number]
      ? Value<K> | undefined
      : Value<K>
}

export type AnyRequest = { readonly [C in CommandName]: Request<C> }[CommandName]
