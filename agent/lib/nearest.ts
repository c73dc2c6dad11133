/** Names further apart than this share of their length are not offered: a wild guess helps nobody. */
const DISTANCE_SHARE_MAX = 0.4

/** The known name that was probably meant, or undefined where none comes near. */
export function findNearest(word: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let smallest = Infinity
  for (const name of known) {
    const distance = editDistance(word.toLowerCase(), name.toLowerCase())
    if (distance < smallest && distance <= Math.max(word.length, name.length) * DISTANCE_SHARE_MAX) {
      smallest = distance
      nearest = name
    }
  }
  return nearest
}

/** Letters to insert, delete, replace or swap with their neighbour to make one word of the other. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const replaced = at(last, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1)
      const swapped =
        a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1] ? at(beforeLast, column - 2) + 1 : Infinity
      current.push(Math.min(replaced, swapped, at(last, column) + 1, at(current, column - 1) + 1))
    }
    beforeLast = last
    last = current
  }
  return at(last, b.length)
}

/** Outside the matrix there is no way. */
function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity
}
