import { surveyQuiet } from '../../../agent/source/quiet/survey'
import { refusal } from '../../support/refusal'
import { snapshotRequestOf } from '../../support/snapshot-request'
import { BOOT_HOST, filesystemAt, quietHost, quietState } from './quiet-host'

function sceneOf(host = BOOT_HOST, changes: Parameters<typeof quietState>[1] = {}) {
  const survey = surveyQuiet(quietState(host, changes), host)
  const claims = host.mounts.flatMap(({ target }) => survey.claim(filesystemAt(host, target)) ?? [])
  return { survey, volumes: claims.flatMap((claim) => ('volume' in claim ? [claim.volume] : [])) }
}

test('a filesystem is either claimed, or there is a reason why not', () => {
  const { survey } = sceneOf()
  expect(survey.claim(filesystemAt(BOOT_HOST, '/'))).toBeUndefined()
  expect(survey.absence(filesystemAt(BOOT_HOST, '/'))).toContain('too busy')
  expect(survey.claim(filesystemAt(BOOT_HOST, '/boot'))).toBeDefined()
  expect(survey.volumes).toContain('at most 1 GiB used')
})

test('the dry run says what would be frozen, as far as can be known', () => {
  const { survey, volumes } = sceneOf()
  expect(
    survey
      .plan(volumes, snapshotRequestOf())
      .map(({ originName, source, description }) => [originName, source, description]),
  ).toEqual([
    ['/dev/sda1', { kind: 'quiet', consistency: 'frozen' }, 'read in place, frozen'],
    ['/dev/sda2', { kind: 'quiet', consistency: 'stable-read' }, 'read in place until two readings agree'],
  ])
})

test('where there is no systemd nothing is frozen', () => {
  const { survey, volumes } = sceneOf(BOOT_HOST, { hasSystemd: false })
  const sources = survey.plan(volumes, snapshotRequestOf()).map(({ source }) => source)
  expect(sources).toEqual(volumes.map(() => ({ kind: 'quiet', consistency: 'stable-read' })))
})

test('how much memory is taken at a time is told, and that there is too little', () => {
  const describe = (...args: Parameters<typeof sceneOf>) => {
    const { survey, volumes } = sceneOf(...args)
    return survey.spaces(volumes).map((space) => space.describe(snapshotRequestOf()))
  }
  expect(describe()).toEqual(['2 read in place, taking 206 MiB of 2 GiB available'])
  const large = quietHost({ target: '/' }, { target: '/a', usedMiB: 700 }, { target: '/b', usedMiB: 800 })
  expect(describe(large)).toEqual(['2 read in place, taking 800 MiB of 2 GiB available'])
  expect(refusal(() => describe(large, { availableBytes: 900 * 1024 ** 2 }))).toMatchObject({
    code: 'SNAPSHOT_SPACE',
    message: '/b is kept in memory when read, 800 MiB: 900 MiB are available, of which 128 MiB stay free',
  })
  expect(sceneOf().survey.spaces([])).toEqual([])
})
