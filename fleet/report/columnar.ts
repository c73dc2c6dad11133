/** Tables as the page embeds them: column by column, and words that come again only once. 5,000 hosts have to open at once. */

type Cell = string | number | boolean | null
export type Row = Readonly<Record<string, Cell>>

/** Values of one column; or words, and for each row which of them. */
type Column = readonly Cell[] | { readonly words: readonly string[]; readonly rows: readonly number[] }
/** The same rows, the other way round. */
export interface PackedTable<Of extends Row> {
  readonly length: number
  readonly columns: Readonly<Record<keyof Of, Column>>
}

/** Of rows that all have the same fields. */
export function packTable<Of extends Row>(rows: readonly Of[]): PackedTable<Of> {
  const names = Object.keys(rows[0] ?? {})
  const columns = Object.fromEntries(names.map((name) => [name, packColumn(rows.map((row) => row[name] ?? null))]))
  return { length: rows.length, columns: columns as Record<keyof Of, Column> }
}

export function unpackTable<Of extends Row>({ length, columns }: PackedTable<Of>): Of[] {
  const values = Object.entries(columns).map(([name, column]) => [name, unpackColumn(column)] as const)
  return Array.from(
    { length },
    (_, row) => Object.fromEntries(values.map(([name, cells]) => [name, cells[row] ?? null])) as unknown as Of,
  )
}

function packColumn(cells: readonly Cell[]): Column {
  const words = [...new Set(cells)]
  if (!words.every((word) => typeof word === 'string') || words.length * 2 > cells.length) return cells
  const places = new Map<Cell, number>(words.map((word, place) => [word, place]))
  return { words, rows: cells.map((cell) => places.get(cell) ?? 0) }
}

function unpackColumn(column: Column): readonly Cell[] {
  return 'words' in column ? column.rows.map((place) => column.words[place] ?? '') : column
}
