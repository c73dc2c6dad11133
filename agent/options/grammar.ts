/**
 * How the values of options are written where nobody but a regular expression looks at them: as parameters of SSM
 * documents. Without anchors, and in what Java, Go and JavaScript have in common. The agent takes all that these do, and
 * more: they have no character that ends a quotation of a shell, or that the SSM agent would replace.
 */

/** @param grammar - as the functions below make it; may have alternatives */
export function anchored(grammar: string): string {
  return `^(${grammar})$`
}

/** Whole numbers in decimal, without leading zeros. */
export function numberGrammar(min: number, max: number): string {
  const alternatives: string[] = []
  for (let from = min; from <= max;) {
    const { pattern, next } = firstBlock(from, max)
    alternatives.push(pattern)
    from = next
  }
  return alternatives.join('|')
}

/** The most numbers from `from` on that differ in one digit, and in all digits behind it. */
function firstBlock(from: number, max: number): { pattern: string; next: number } {
  const digits = String(from).length
  const digitsWhole = String(max + 1).length - 1
  if (from === 10 ** (digits - 1) && digitsWhole >= digits) {
    return { pattern: `[1-9]${anyDigits(digits - 1, digitsWhole - 1)}`, next: 10 ** digitsWhole }
  }
  let free = 0
  while (from > 0 && from % 10 ** (free + 1) === 0 && from + 10 ** (free + 1) - 1 <= max) free += 1
  const size = 10 ** free
  const first = Math.floor(from / size) % 10
  const last = Math.min(9, first + Math.floor((max + 1 - from) / size) - 1)
  const before = from >= 10 * size ? String(Math.floor(from / size / 10)) : ''
  const digit = first === last ? String(first) : `[${first}-${last}]`
  return { pattern: before + digit + anyDigits(free, free), next: from + (last - first + 1) * size }
}

function anyDigits(min: number, max: number): string {
  if (max === 0) return ''
  if (max === 1) return min === 0 ? '[0-9]?' : '[0-9]'
  return min === max ? `[0-9]{${max}}` : `[0-9]{${min},${max}}`
}

const SIZE_NUMBER_MAX = 999_999_999

/** Whole numbers with a unit, of which a number alone would be too easily taken for another: `50M`, `50MiB`. */
export function sizeGrammar(minBytes: number): string {
  const inUnits = ['K', 'M', 'G', 'T'].map((unit, index) => {
    const least = Math.max(1, Math.ceil(minBytes / 1024 ** (index + 1)))
    return `(${numberGrammar(least, SIZE_NUMBER_MAX)})${unit}`
  })
  return `(${inUnits.join('|')})(iB)?`
}

/** `90`, `90s`, `15m`, `2h`. */
export function durationGrammar(maxSeconds: number, minSeconds = 1): string {
  const inUnits = Object.entries({ 's?': 1, m: 60, h: 3600, d: 86_400 }).flatMap(([unit, seconds]) => {
    const most = Math.floor(maxSeconds / seconds)
    return most === 0 ? [] : [`(${numberGrammar(Math.ceil(minSeconds / seconds), most)})${unit}`]
  })
  return inUnits.join('|')
}

/** Several values with commas in between. */
export function listGrammar(item: string): string {
  return `(${item})(,(${item}))*`
}
