import { chooseVolumes, findVolumes } from '../../agent/run/volumes'
import { manifestOf, volumeBackupOf } from '../support/manifest'
import { refusal } from '../support/refusal'

const home = volumeBackupOf()
const root = volumeBackupOf({ volume: 'vg0-root', mountPoint: '/' })
const manifest = manifestOf({
  volumes: [home, root],
  failures: [{ mountPoint: '/srv', volume: 'vg0-srv', code: 'SNAPSHOT_INVALID', message: 'it overflowed', hint: '' }],
  notBackedUp: [{ mountPoint: '/boot', filesystem: 'vfat', device: '/dev/sda1', reason: 'not on LVM' }],
})

test.each([
  [[], [home, root]],
  [['/'], [root]],
  [
    ['vg0-root', '/home'],
    [home, root],
  ],
  [['/home', 'vg0-home'], [home]],
])('of %j, the volumes of the run come in its order, each once', (wanted, expected) => {
  expect(chooseVolumes(manifest, wanted)).toEqual(expected)
})

test.each([
  ['/hoem', 'Did you mean /home? The run has /home, /.'],
  ['/srv', 'Its backup failed: it overflowed. The run has /home, /.'],
  ['vg0-srv', 'Its backup failed: it overflowed. The run has /home, /.'],
  ['/boot', 'It was not backed up: not on LVM. The run has /home, /.'],
  ['/nothing-like-it', 'The run has /home, /.'],
])('%s is not in the run: why is said, where that is known', (name, hint) => {
  expect(refusal(() => chooseVolumes(manifest, ['/home', name]))).toEqual({
    code: 'UNKNOWN_VOLUME',
    message: `run ${manifest.run} has no volume '${name}'`,
    hint,
  })
})

test('who asks for what there is gets that', () => {
  expect(findVolumes(manifest, ['/srv', '/home'])).toEqual([home])
  expect(findVolumes(manifest, ['/srv'])).toEqual([])
})
