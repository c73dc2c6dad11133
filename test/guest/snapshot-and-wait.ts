/**
 * An agent without a store, bundled and run in a guest to be killed: takes the lock and the snapshots of all volumes,
 * mounts them, reads them, and says on standard error how far it is.
 *
 * Usage: node snapshot-and-wait.cjs RUN KEY UPLOAD-ID
 */
import { localHost } from '../../agent/host/run-command.io'
import { takeLock } from '../../agent/host/lock.io'
import { parseSourceChoice } from '../../agent/source/choice'
import { planSnapshots } from '../../agent/source/plan'
import { selectVolumes } from '../../agent/source/select'
import { mountSnapshot, recordUpload, surveyHost, takeSnapshots } from '../../agent/source/sources.io'
import { snapshotRequestOf } from '../support/snapshot-request'

async function main([run = '', key = '', uploadId = '']: readonly string[]): Promise<void> {
  const reach = (stage: string) => process.stderr.write(`${stage}\n`)
  const log = { debug: reach, info: reach, warn: reach }
  const { signal } = new AbortController()
  const deps = { host: localHost, log, now: () => new Date(), signal }
  await using _lock = await takeLock(deps)
  const survey = await surveyHost(deps, parseSourceChoice(['lvm']))
  const plans = planSnapshots(survey, selectVolumes(survey).volumes, snapshotRequestOf({ run }))
  reach('planned')
  await using _snapshots = await takeSnapshots(deps, plans)
  await recordUpload(deps, plans[0]!, { key, uploadId })
  reach('taken')
  await using mounts = new AsyncDisposableStack()
  for (const plan of plans) mounts.use(await mountSnapshot(deps, plan))
  reach('mounted')
  const readers = plans.map(({ mountPoint }) => localHost.start(['tail', '--follow', `${mountPoint}/moment`], signal))
  reach('begun to read')
  await Promise.all(readers.map(({ succeeded }) => succeeded))
}

void main(process.argv.slice(2))
