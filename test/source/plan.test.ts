import { AUTOMATIC } from '../../agent/source/choice'
import { planSnapshots } from '../../agent/source/plan'
import { selectVolumes } from '../../agent/source/select'
import type { SnapshotPlan, Survey, Volume } from '../../agent/source/source'
import { storage, surveyOf } from '../support/storage'
import { snapshotRequestOf } from '../support/snapshot-request'

const request = snapshotRequestOf({ exclude: ['*.tmp'] })
const host = storage({
  logicalVolumes: [{}, {}, {}],
  mounts: ['/a', '/b', '/c'].map((target, of) => ({ of, target })),
})
const { volumes } = selectVolumes(surveyOf(host))
const [a, b, c] = volumes as [Volume, Volume, Volume]

/** A source that answers in the order of its own, and remembers what it was asked. */
function survey(kind: string, asked: unknown[]): Survey {
  return {
    ...surveyOf(host).surveys[0]!,
    kind: kind as Survey['kind'],
    plan(own, asking) {
      asked.push([kind, own.map(({ mountPoint }) => mountPoint), asking])
      return own.toReversed().map((origin) => ({ origin }) as SnapshotPlan)
    },
  }
}

test('each source plans what is its own, and the plans come in the order of the volumes', () => {
  const asked: unknown[] = []
  const other = { ...b, kind: 'other' as Volume['kind'] }
  const surveys = [survey('lvm', asked), survey('other', asked)]
  const plans = planSnapshots({ filesystems: host, choice: AUTOMATIC, surveys }, [c, other, a], request)
  expect(plans.map(({ origin }) => origin.mountPoint)).toEqual(['/c', '/b', '/a'])
  expect(asked).toEqual([
    ['lvm', ['/c', '/a'], request],
    ['other', ['/b'], request],
  ])
})

test('where nothing is backed up, there is no snapshot', () => {
  expect(planSnapshots(surveyOf(host), [], request)).toEqual([])
})
