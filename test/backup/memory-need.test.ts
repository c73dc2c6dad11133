import { judgeMemory } from '../../agent/backup/memory-need'
import { selectVolumes } from '../../agent/source/select'
import { storage, surveyOf } from '../support/storage'

const MIB = 1024 * 1024
const { volumes } = selectVolumes(
  surveyOf(
    storage({
      logicalVolumes: [{}, {}],
      mounts: [
        { of: 0, target: '/a' },
        { of: 1, target: '/b' },
      ],
    }),
  ),
)
const inodes = (a: number, b: number) => new Map([['/dev/mapper/vg-lv0', a], ['/dev/mapper/vg-lv1', b]]) // prettier-ignore

test('a host with room for the agent, and for all that tar may have to remember, is told so', () => {
  expect(judgeMemory(430 * MIB, volumes, inodes(MIB / 2, MIB / 2))).toBe(
    '430 MiB available, a backup takes 430 MiB at most',
  )
})

test('one byte less is a warning, with all that it adds up to', () => {
  expect(judgeMemory(430 * MIB - 1, volumes, inodes(MIB / 2, MIB / 2))).toEqual({
    status: 'warn',
    what: expect.stringMatching(/: 350 MiB and what tar remembers.* all 1,048,576 files have several names$/) as string,
    fix: expect.stringMatching(/^Add memory or swap/) as string,
  })
})

test('of a device that df does not tell of, nothing is assumed', () => {
  expect(judgeMemory(350 * MIB, volumes, new Map())).toBe('350 MiB available, a backup takes 350 MiB at most')
  expect(judgeMemory(350 * MIB, volumes, new Map([['/dev/sda1', 1e9]]))).toBe(
    '350 MiB available, a backup takes 350 MiB at most',
  )
})
