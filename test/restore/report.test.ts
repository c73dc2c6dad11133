/** What an operator reads when a restore is done. */
import { formatRestore, type RestoreReport } from '../../agent/restore/report'

const never = (mountPoint: string) => ({ mountPoint, why: 'was not backed up: not on LVM', failed: false })
const report: RestoreReport = { run: 'R', host: 'db-1', volumes: [], failures: [], absent: [], warned: [] }

test('what is never backed up does not bury what failed to be', () => {
  const absent = [
    ...[never('/boot/efi'), never('/scratch'), never('/boot'), never('/mnt')],
    { mountPoint: '/db', why: 'failed to be backed up: its snapshot overflowed', failed: true },
  ]
  expect(formatRestore({ ...report, absent }).split('\n')).toEqual([
    'Restore of R of db-1: INCOMPLETE, as the run itself is',
    '  not in this run: /boot/efi was not backed up: not on LVM',
    '  not in this run: /scratch was not backed up: not on LVM',
    '  not in this run: /db failed to be backed up: its snapshot overflowed',
    '  nor was this backed up: /boot, /mnt',
    '  HINT: "snapstream list" shows runs that may have the volumes that failed in this one.',
  ])
})
