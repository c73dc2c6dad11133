/**
 * A program that never leaves its files alone: appends, rewrites in place, creates, renames, deletes, changes modes.
 * Keeps the number of changes it has made in COUNT.
 *
 * Usage: node write.cjs COUNT DIRECTORY...
 */
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** A pause after each round, so that the backup gets some of the one processor. */
const PAUSE_MILLISECONDS = 100
/** Files of each directory that come and go. */
const FILES = 50
/** The file that is written all over is this long, so that snapshots have something to hold back. */
const TABLE_BYTES = 4 * 1024 * 1024
const PAGE = Buffer.alloc(4096)

const [count = '', ...directories] = process.argv.slice(2)
const places = directories.map((directory) => join(directory, 'live'))
const tables = places.map((place) => {
  mkdirSync(place)
  writeFileSync(join(place, 'table'), Buffer.alloc(TABLE_BYTES, 'initial '))
  return openSync(join(place, 'table'), 'r+')
})
process.once('SIGTERM', () => {
  clearInterval(timer)
  tables.forEach((table) => closeSync(table))
})

let round = 0
let changes = 0
const timer = setInterval(() => {
  round++
  for (const [index, place] of places.entries()) changes += change(place, tables[index]!)
  writeFileSync(`${count}.new`, `${changes}\n`)
  renameSync(`${count}.new`, count)
}, PAUSE_MILLISECONDS)

/** Returns how many changes it made. */
function change(place: string, table: number): number {
  const file = join(place, `file ${round % FILES}`)
  PAGE.fill(`round ${round} `)
  writeSync(table, PAGE, 0, PAGE.length, (round * 7919 * PAGE.length) % TABLE_BYTES)
  appendFileSync(join(place, 'log'), `${new Date().toISOString()} round ${round}\n`)
  writeFileSync(file, `written in round ${round}\n`)
  chmodSync(file, round % 2 === 0 ? 0o600 : 0o644)
  renameSync(file, `${file} (renamed)`)
  const [oldest] = readdirSync(place).filter(
    (name) => name !== `file ${round % FILES} (renamed)` && name.startsWith('file'),
  )
  if (round % 3 !== 0 || oldest === undefined) return 5
  rmSync(join(place, oldest))
  return 6
}
