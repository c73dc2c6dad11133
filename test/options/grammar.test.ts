/** What a parameter of an SSM document may be, held against what the agent itself takes. */
import fc from 'fast-check'
import { anchored, durationGrammar, numberGrammar, sizeGrammar } from '../../agent/options/grammar'
import { OPTION_NAMES, OPTIONS, type OptionName } from '../../agent/options/table'
import { compileForAgent, findPatternProblem } from '../../infra/ssm-pattern'
import { OPTION_SAMPLES } from '../support/option-samples'

const patternOf = (name: OptionName) => anchored(OPTIONS[name].type.grammar)
const patterns = new Map(OPTION_NAMES.map((name) => [name, compileForAgent(patternOf(name))]))
const documentTakes = (name: OptionName, text: string) => patterns.get(name)!.test(text)
const agentTakes = (name: OptionName, text: string) => {
  const { schema, fromText } = OPTIONS[name].type
  return schema.safeParse(fromText(text)).success
}

/** What takes more than a regular expression to see: the agent refuses it when the command has come. */
const SEEN_BY_THE_AGENT_ALONE: Partial<Record<OptionName, (text: string) => boolean>> = {
  at: (text) => !new Date(`${text.slice(0, 10)}T00:00:00Z`).toJSON().startsWith(text.slice(0, 10)),
  sample: (text) => Number(text.split('/')[0]) > Number(text.split('/')[1]),
  share: (text) => Number(text.split('/')[0]) > Number(text.split('/')[1]),
}

/** By option: what the agent refuses, and so has a document to. */
const REFUSED: readonly (readonly [OptionName, string])[] = [
  ['bandwidthLimit', '63K'],
  ['bandwidthLimit', '0M'],
  ['snapshotSize', '0%'],
  ['snapshotSize', '101%'],
  ['snapshotSize', '3M'],
  ['sample', '0/7'],
  ['sample', '1/1001'],
  ['days', '0'],
  ['days', '366'],
  ['nice', '20'],
  ['hookTimeout', '0s'],
  ['hookTimeout', '601'],
  ['hookTimeout', '11m'],
  ['hookTimeout', '1h'],
  ['deadline', '49h'],
  ['at', '2026-13-01'],
  ['at', '2026-01-32'],
  ['at', '2026-01-31T24:00'],
  ['at', '2026-01-31T14:00+24:00'],
  ['target', 'srv'],
  ['target', '/srv/..'],
  ['target', '/../srv'],
  ['volumes', '/srv,home'],
  ['volumes', '/srv,/home/../etc'],
  ['path', '..'],
  ['path', '../etc'],
  ['path', 'etc/../../root'],
  ['storageClass', 'standard'],
  ['region', 'eu.west'],
]

describe.each(OPTION_NAMES)('%s', (name) => {
  test('has a pattern that Systems Manager, the SSM agent and this project compile alike', () => {
    expect(findPatternProblem(patternOf(name))).toBeUndefined()
  })

  test('is taken as people write it', () => {
    const takes = OPTION_SAMPLES[name].map((text) => [text, documentTakes(name, text), agentTakes(name, text)])
    expect(takes).toEqual(OPTION_SAMPLES[name].map((text) => [text, true, true]))
  })

  test('is taken by the agent, whatever a document takes', () => {
    const isSeenByAgent = SEEN_BY_THE_AGENT_ALONE[name] ?? (() => false)
    fc.assert(
      fc.property(fc.stringMatching(new RegExp(patternOf(name))), (text) => {
        expect([text, agentTakes(name, text)]).toEqual([text, !isSeenByAgent(text)])
      }),
    )
  })

  test('has nothing in it that ends a quotation, that the SSM agent would replace, or that is a flag', () => {
    const dangerous = [
      "'",
      '"',
      '`',
      '$',
      '\\',
      '{',
      '}',
      ';',
      '&',
      '|',
      '<',
      '>',
      '(',
      '#',
      '\n',
      '\r',
      '\0',
      '\u001b',
      'é',
    ]
    for (const sample of OPTION_SAMPLES[name]) {
      const places = Array.from({ length: sample.length + 1 }, (_, at) => at)
      const spoilt = places.flatMap((at) => dangerous.map((bad) => sample.slice(0, at) + bad + sample.slice(at)))
      expect([...spoilt, '', '-x', `-${sample}`].filter((text) => documentTakes(name, text))).toEqual([])
    }
  })
})

test.each(['target', 'path'] as const)('of all short paths, %s has those without ".." and no others', (name) => {
  let paths = ['']
  for (let length = 1; length <= 7; length += 1) {
    paths = paths.flatMap((path) => ['a', '.', '/'].map((next) => path + next))
    for (const path of paths) expect([path, documentTakes(name, path)]).toEqual([path, agentTakes(name, path)])
  }
})

test.each(REFUSED)('%s is refused by document and agent: %j', (name, text) => {
  expect([documentTakes(name, text), agentTakes(name, text)]).toEqual([false, false])
})

test.each([
  [0, 0],
  [0, 19],
  [1, 8],
  [1, 10],
  [1, 365],
  [7, 7],
  [60, 1728],
  [99, 101],
  [100, 999],
  [995, 1005],
])('numbers from %d to %d are these and no others', (min, max) => {
  const pattern = new RegExp(anchored(numberGrammar(min, max)))
  const taken = Array.from({ length: 12_000 }, (_, number) => String(number)).filter((text) => pattern.test(text))
  expect(taken).toEqual(Array.from({ length: max - min + 1 }, (_, index) => String(min + index)))
  expect(['', `0${min}`, `-${max}`, `${max}.0`].filter((text) => pattern.test(text))).toEqual([])
})

test('patterns can be read by who is shown one', () => {
  expect(numberGrammar(60, 172_800)).toBe(
    '[6-9][0-9]|[1-9][0-9]{2,4}|1[0-6][0-9]{4}|17[0-1][0-9]{3}|172[0-7][0-9]{2}|172800',
  )
  expect(numberGrammar(1, 365)).toBe('[1-9][0-9]?|[1-2][0-9]{2}|3[0-5][0-9]|36[0-5]')
  expect(durationGrammar(600)).toBe('([1-9][0-9]?|[1-5][0-9]{2}|600)s?|([1-9]|10)m')
  expect(sizeGrammar(1)).toBe(`(${['K', 'M', 'G', 'T'].map((unit) => `([1-9][0-9]{0,8})${unit}`).join('|')})(iB)?`)
})
