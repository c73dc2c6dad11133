/**
 * Draws the house: docs/house.svg, one box for each room of the agent, above the rooms that it imports from. `npm run house`
 * makes it; a test says when it is no longer current.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import rooms from './rooms.json'

const AGENT = resolve(__dirname, '../agent')
/** From the ground up: each imports only what stands before it. The linter makes its rules from the same list. */
export const ROOMS: readonly string[] = rooms
export const HOUSE_FILE = resolve(__dirname, '../docs/house.svg')

const PROMISES: Readonly<Record<string, string>> = {
  lib: 'general tools',
  host: 'commands, lock, files',
  options: 'argv to request',
  bucket: 'S3',
  tar: 'command lines, headers',
  archive: 'frames, segments, catalog',
  run: 'manifest, verdicts',
  hooks: 'applications held still',
  source: 'snapshots',
  verify: 'does it read back?',
  backup: 'host to bucket',
  restore: 'bucket to host',
  rebuild: 'a lost host',
  find: 'files, runs',
}

const BOX = { width: 168, height: 52, gapX: 24, gapY: 46 }

/** By room: the rooms that its files import from. */
export function readImports(): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    ROOMS.map((room) => {
      const files = readdirSync(join(AGENT, room), { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.endsWith('.ts'),
      )
      const texts = files.map((file) => readFileSync(join(AGENT, room, file), 'utf8'))
      const names = texts.flatMap((text) => [...text.matchAll(/from '(?:\.\.\/)+([a-z]+)\//g)].map(([, name]) => name!))
      return [room, new Set(names.filter((name) => name !== room && ROOMS.includes(name)))]
    }),
  )
}

/** An SVG: rooms in rows, what imports nothing at the bottom; a line where no other room stands between. */
export function drawHouse(imports: ReadonlyMap<string, ReadonlySet<string>>): string {
  const levels = new Map<string, number>()
  for (const room of ROOMS) {
    const below = [...(imports.get(room) ?? [])].map((name) => levels.get(name) ?? 0)
    levels.set(room, below.length === 0 ? 0 : Math.max(...below) + 1)
  }
  const rows = Array.from({ length: Math.max(...levels.values()) + 1 }, (_, level) =>
    ROOMS.filter((room) => levels.get(room) === level),
  ).reverse()
  const columns = Math.max(...rows.map((row) => row.length))
  const width = columns * (BOX.width + BOX.gapX) + BOX.gapX
  const height = rows.length * (BOX.height + BOX.gapY) + BOX.gapY / 2
  const places = new Map(
    rows.flatMap((row, y) => {
      const left = (width - row.length * (BOX.width + BOX.gapX) + BOX.gapX) / 2
      return row.map((room, x) => [
        room,
        { x: left + x * (BOX.width + BOX.gapX), y: BOX.gapY / 2 + y * (BOX.height + BOX.gapY) },
      ])
    }),
  )
  const lines = ROOMS.flatMap((room) =>
    findNearest(room, imports).map((below) => line(places.get(room)!, places.get(below)!)),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" text-anchor="middle">`,
    '<title>The rooms of the agent: each imports only from rooms below it</title>',
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...lines,
    ...ROOMS.flatMap((room) => box(room, places.get(room)!)),
    '</svg>',
    '',
  ].join('\n')
}

/** The rooms that a room imports from, without those that it reaches through another one as well. */
function findNearest(room: string, imports: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const direct = [...(imports.get(room) ?? [])]
  const reaches = (from: string, to: string): boolean =>
    [...(imports.get(from) ?? [])].some((name) => name === to || reaches(name, to))
  return direct.filter((name) => !direct.some((other) => other !== name && reaches(other, name)))
}

interface Place {
  readonly x: number
  readonly y: number
}

function line(above: Place, below: Place): string {
  const from = { x: above.x + BOX.width / 2, y: above.y + BOX.height }
  const to = { x: below.x + BOX.width / 2, y: below.y }
  const middle = (from.y + to.y) / 2
  return `<path d="M${from.x} ${from.y}C${from.x} ${middle} ${to.x} ${middle} ${to.x} ${to.y}" fill="none" stroke="#9aa5b1"/>`
}

function box(room: string, { x, y }: Place): string[] {
  const middle = x + BOX.width / 2
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8" fill="#f0f4f8" stroke="#486581"/>`,
    `<text x="${middle}" y="${y + 22}" font-size="15" font-weight="bold" fill="#102a43">${room}</text>`,
    `<text x="${middle}" y="${y + 40}" font-size="12" fill="#486581">${PROMISES[room] ?? ''}</text>`,
  ]
}

if (require.main === module) writeFileSync(HOUSE_FILE, drawHouse(readImports()))
