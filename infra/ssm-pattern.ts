/**
 * The patterns of parameters, as everybody who compiles them must read them alike: Systems Manager in Java, the SSM agent in
 * Go, this project in JavaScript. A pattern that the SSM agent cannot compile makes it refuse the whole document.
 */
import { RE2JS } from 're2js'

/** Punctuation that means something outside of a class, and nothing after a backslash. */
const ESCAPED = String.raw`\\[.^$*+?()[\]{}|/\\-]`
/**
 * What all three dialects have in common, written as one expression: ASCII literals, escaped punctuation, classes that
 * list what they take, groups, alternatives and quantifiers. Not: `.`, `\d` and other classes by name, negated classes,
 * `&&` within a class, flags, assertions, back references.
 */
const COMMON_SYNTAX = new RegExp(
  String.raw`^\^(?:[A-Za-z0-9 _/:,@=%~"'<>;!#-]|${ESCAPED}|\[(?!\^)(?:(?!&&)[\x20-\x5a\x5e-\x7e]|${ESCAPED})+\]|[()|*+?]|\{\d+(?:,\d*)?\})*\$$`,
)

/** A pattern as the SSM agent compiles and applies it. */
export interface AgentPattern {
  test(value: string): boolean
}

/**
 * Compiles a pattern as the SSM agent does, with RE2, whose repetitions are limited to 1,000, nested ones multiplied
 * (package regexp/syntax of Go).
 *
 * @throws Error as Go words it
 */
export function compileForAgent(pattern: string): AgentPattern {
  const compiled = RE2JS.compile(pattern)
  return { test: (value) => compiled.matcher(value).find() }
}

/** What keeps a pattern from being valid, and from meaning the same to everybody; undefined if nothing does. */
export function findPatternProblem(pattern: string): string | undefined {
  if (!pattern.startsWith('^') || !pattern.endsWith('$')) return 'anchor the pattern with ^ and $'
  if (!COMMON_SYNTAX.test(pattern)) return 'its syntax is not what Java, Go and JavaScript have in common'
  if (hasOpenAlternative(pattern)) return 'an alternative outside of all groups is anchored at one end only'
  try {
    compileForAgent(pattern)
    new RegExp(pattern)
  } catch (error) {
    return (error as Error).message
  }
  return undefined
}

function hasOpenAlternative(pattern: string): boolean {
  let depth = 0
  for (const character of pattern.replace(/\\.|\[(?:\\.|[^\]])*\]/g, '')) {
    if (character === '(') depth++
    else if (character === ')') depth--
    else if (character === '|' && depth === 0) return true
  }
  return false
}
