/**
 * Draws the houses: docs/house.svg has one box for each room of the agent, above the rooms that it imports from, and
 * docs/fleet-house.svg those of the fleet. `npm run house` makes them; a test says when one is no longer current.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import fleetRooms from './fleet-rooms.json'
import rooms from './rooms.json'

/** A part of the sources that has rooms. */
export interface House {
  readonly folder: string
  /** From the ground up: each imports only what stands before it. The linter makes its rules from the same list. */
  readonly rooms: readonly string[]
  readonly file: string
  /** What each room is for, in a few words. */
  readonly promises: Readonly<Record<string, string>>
}

const root = resolve(__dirname, '..')

export const HOUSES: readonly House[] = [
  {
    folder: join(root, 'agent'),
    rooms,
    file: join(root, 'docs/house.svg'),
    promises: {
      lib: 'general tools',
      host: 'commands, lock, files',
      options: 'argv to request',
      bucket: 'S3',
      tar: 'command lines, headers',
      archive: 'frames, segments, catalog',
      run: 'manifest, verdicts',
      changes: 'what changed since the base',
      hooks: 'applications held still',
      source: 'snapshots',
      verify: 'does it read back?',
      backup: 'host to bucket',
      notify: 'pings and metrics',
      restore: 'bucket to host',
      rebuild: 'a lost host',
      find: 'files, runs',
      drill: 'restores on trial',
    },
  },
  {
    folder: join(root, 'fleet'),
    rooms: fleetRooms,
    file: join(root, 'docs/fleet-house.svg'),
    promises: {
      model: 'records, judgement',
      evidence: 'what the bucket proves',
      inventory: 'which hosts there are',
      report: 'pages for people',
      audit: 'once an hour, by itself',
      command: 'what operators ask for',
    },
  },
]

const BOX = { width: 168, height: 52, gapX: 24, gapY: 46 }

/** By room: the rooms that its files import from. */
export function readImports({ folder, rooms }: House): ReadonlyMap<string, ReadonlySet<string>> {
  return new Map(
    rooms.map((room) => {
      const at = join(folder, room)
      if (!existsSync(at)) return [room, new Set<string>()]
      const files = readdirSync(at, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
      const texts = files.map((file) => readFileSync(join(at, file), 'utf8'))
      const names = texts.flatMap((text) => [...text.matchAll(/from '(?:\.\.\/)+([a-z]+)\//g)].map(([, name]) => name!))
      return [room, new Set(names.filter((name) => name !== room && rooms.includes(name)))]
    }),
  )
}

/** An SVG: rooms in rows, what imports nothing at the bottom; a line where no other room stands between. */
export function drawHouse(
  { folder, rooms, promises }: House,
  imports: ReadonlyMap<string, ReadonlySet<string>>,
): string {
  const levels = new Map<string, number>()
  for (const room of rooms) {
    const below = [...(imports.get(room) ?? [])].map((name) => levels.get(name) ?? 0)
    levels.set(room, below.length === 0 ? 0 : Math.max(...below) + 1)
  }
  const rows = Array.from({ length: Math.max(...levels.values()) + 1 }, (_, level) =>
    rooms.filter((room) => levels.get(room) === level),
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
  const lines = rooms.flatMap((room) =>
    findNearest(room, imports).map((below) => line(places.get(room)!, places.get(below)!)),
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" text-anchor="middle">`,
    `<title>The rooms of ${basename(folder)}/: each imports only from rooms below it</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...lines,
    ...rooms.flatMap((room) => box(room, promises[room] ?? '', places.get(room)!)),
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

function box(room: string, promise: string, { x, y }: Place): string[] {
  const middle = x + BOX.width / 2
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8" fill="#f0f4f8" stroke="#486581"/>`,
    `<text x="${middle}" y="${y + 22}" font-size="15" font-weight="bold" fill="#102a43">${room}</text>`,
    `<text x="${middle}" y="${y + 40}" font-size="12" fill="#486581">${promise}</text>`,
  ]
}

if (require.main === module) {
  for (const house of HOUSES) writeFileSync(house.file, drawHouse(house, readImports(house)))
}
