/** What a newcomer reads about the house is true: the picture is current, and every file that is named is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { drawHouse, HOUSES, readImports } from '../../scripts/house'

const root = resolve(__dirname, '../..')
const agent = join(root, 'agent')

test.each(HOUSES)('the picture $file is current: "npm run house" draws it', (house) => {
  expect(readFileSync(house.file, 'utf8')).toBe(drawHouse(house, readImports(house)))
})

test.each(HOUSES)('every folder of $folder is a room of the list', ({ folder, rooms }) => {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  expect(folders.map(({ name }) => name).filter((name) => !rooms.includes(name))).toEqual([])
})

test.each(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'docs/decisions/0013-nobody-believes-a-host.md'])(
  '%s names only files that are there',
  (document) => {
    const text = readFileSync(join(root, document), 'utf8')
    const named = [...text.matchAll(/`((?:[a-z-]+\/)+[a-z-]+(?:\.[a-z]+)*\.ts)`/g)].map(([, path]) => path!)
    expect(
      named.filter((path) => ![root, agent, join(root, 'fleet')].some((place) => existsSync(join(place, path)))),
    ).toEqual([])
  },
)

const [{ rooms: ROOMS }] = HOUSES as readonly [(typeof HOUSES)[number]]

test.each(ROOMS)('the page of room %s names only files that are there', (room) => {
  const text = readFileSync(join(agent, room, 'README.md'), 'utf8')
  const places = [root, agent, join(agent, room), ...(room === 'source' ? [join(agent, 'source/lvm')] : [])]
  const named = [...text.matchAll(/`([a-z/-]+(?:\.io)?\.ts)`/g)].map(([, path]) => path!)
  expect(named).not.toEqual([])
  expect(named.filter((path) => !places.some((place) => existsSync(join(place, path))))).toEqual([])
})

/** Where sources are listed, what format 1 was, and who has to leave LVM's disks alone. */
const KNOW_SOURCES = [
  'source/ebs/claim.ts',
  'source/ebs/disks.io.ts',
  'source/ebs/disks.ts',
  'contract.ts',
  'source/record.ts',
  'source/output-schema.ts',
  'source/rebuild.ts',
  'source/sources.io.ts',
  'run/manifest-format-1.ts',
]

test('no code outside of source/lvm knows of logical volumes, their groups or thin pools', () => {
  const words = /\b(?:lv|vg|pv)\w*|\w*(?:thinPool|volumeGroup|logicalVolume|deviceMapper)/i
  const proseAndComments = /\/\*[^]*?\*\/|\/\/.*$|'[^'\n]* [^'\n]*'/gm
  const files = readdirSync(agent, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const others = files.filter((file) => !file.startsWith('source/lvm/') && !KNOW_SOURCES.includes(file))
  const knowing = others.flatMap((file) => {
    const code = readFileSync(join(agent, file), 'utf8').replaceAll(proseAndComments, '')
    return (
      words
        .exec(code)
        ?.slice(0, 1)
        .map((word) => `${file}: ${word}`) ?? []
    )
  })
  expect(knowing).toEqual([])
})

test('no command has schemas of outputs on board: they are for types and documents', () => {
  const files = readdirSync(agent, { recursive: true, encoding: 'utf8' })
  const others = files.filter((file) => file.endsWith('.ts') && !file.endsWith('output-schema.ts'))
  const importing = others.filter((file) =>
    /^import (?!type)[^']*'[^']*output-schema'/m.test(readFileSync(join(agent, file), 'utf8')),
  )
  expect(importing).toEqual([])
})
