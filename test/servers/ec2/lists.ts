/** What all Describe actions have in common: ids, filters and pages. */
import { Ec2Error } from './errors'
import { integer, invalid, structures, texts, type Parameters } from './query'
import type { Tags } from './tags'

const PAGE_MIN = 5
const PAGE_MAX = 1000

/** What filters can go by; `undefined` matches none. */
export type Facts = Readonly<Record<string, string | undefined>>

export interface Listing<T> {
  readonly pageItemsMax: number
  /** Of all that there are, where no ids were given. */
  readonly all: () => readonly T[]
  /** Throws for an id of nothing. */
  readonly find: (id: string) => T
  /** The parameter with the ids. */
  readonly ids: string
  readonly tags: (item: T) => Tags
  readonly facts: (item: T) => Facts
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly nextToken: string | undefined
}

/**
 * A page holds at most as many as it may, and is cut before it is filtered: it can be empty and not the last one, as
 * with EC2 (boto/boto3#1776).
 */
export function describe<T>(parameters: Parameters, listing: Listing<T>): Page<T> {
  const ids = texts(parameters, listing.ids)
  const size = integer(parameters, 'MaxResults')
  const token = parameters.get('NextToken')
  if (ids.length > 0 && (size !== undefined || token !== undefined)) {
    const message = `The parameter ${listing.ids} cannot be used with the parameter MaxResults`
    throw new Ec2Error('InvalidParameterCombination', message)
  }
  if (size !== undefined && (size < PAGE_MIN || size > PAGE_MAX)) {
    invalid(`Value ( ${size} ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.`)
  }
  const wanted = ids.length > 0 ? ids.map((id) => listing.find(id)) : listing.all()
  const start = token === undefined ? 0 : parseToken(token)
  const end = ids.length > 0 ? wanted.length : start + Math.min(size ?? PAGE_MAX, listing.pageItemsMax)
  const matches = parseFilters(parameters)
  return {
    items: wanted.slice(start, end).filter((item) => matches(listing.tags(item), listing.facts(item))),
    nextToken: end < wanted.length ? formatToken(end) : undefined,
  }
}

/** All filters have to match, of each any value. */
function parseFilters(parameters: Parameters): (tags: Tags, facts: Facts) => boolean {
  const filters = structures(parameters, 'Filter').map((filter) => ({
    name: filter.get('Name') ?? '',
    patterns: texts(filter, 'Value').map((value) => wildcards(value)),
  }))
  return (tags, facts) =>
    filters.every(({ name, patterns }) => {
      const actual = actualValues(name, tags, facts)
      return patterns.some((pattern) => actual.some((value) => pattern.test(value)))
    })
}

function actualValues(name: string, tags: Tags, facts: Facts): string[] {
  if (name === 'tag-key') return [...tags.keys()]
  if (!name.startsWith('tag:') && !(name in facts)) invalid(`The filter '${name}' is invalid`)
  const value = name.startsWith('tag:') ? tags.get(name.slice('tag:'.length)) : facts[name]
  return value === undefined ? [] : [value]
}

/** `*` and `?` stand for any characters and for one, unless after a backslash. */
function wildcards(text: string): RegExp {
  const pattern = text.replace(/\\(.)|[\s\S]/g, (whole: string, escaped?: string) => {
    if (whole === '*') return '[^]*'
    return whole === '?' ? '[^]' : (escaped ?? whole).replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)
  })
  return new RegExp(`^${pattern}$`, 'u')
}

function formatToken(start: number): string {
  return Buffer.from(`from ${start}`).toString('base64')
}

function parseToken(token: string): number {
  const start = /^from (\d+)$/.exec(Buffer.from(token, 'base64').toString())?.[1]
  if (start === undefined) throw new Ec2Error('InvalidNextToken', 'The token is invalid')
  return Number(start)
}
