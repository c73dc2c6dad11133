import { umount, umountLazily } from '../../agent/source/mount'
import { unmount } from '../../agent/source/mount.io'
import { fakeHost, type Answers } from '../support/fake-host'
import { localDeps } from '../support/host-deps'
import { refusalOf } from '../support/refusal'

const MOUNT_POINT = '/run/snapstream/run/vg-lv0'
/** At once, so that nobody waits for what will not come. */
const hanging = { status: null, hangs: true } as const

function depsWith(answers: Answers) {
  return { ...localDeps(), host: fakeHost(answers) }
}

test('a mount that does not end its unmounting is detached, so that the rest of the run can end', async () => {
  let mounted = true
  const deps = depsWith({
    findmnt: () => JSON.stringify({ filesystems: mounted ? [{ target: MOUNT_POINT }] : [] }),
    [umount(MOUNT_POINT).join(' ')]: hanging,
    [umountLazily(MOUNT_POINT).join(' ')]: () => {
      mounted = false
      return ''
    },
    rmdir: '',
  })
  await unmount(deps, MOUNT_POINT)
  expect(deps.logged.join()).toContain(`${MOUNT_POINT} is busy, and detached while it is: the command does not end`)
})

test('a mount that cannot even be detached is told with its user to look for', async () => {
  const deps = depsWith({ findmnt: JSON.stringify({ filesystems: [{ target: MOUNT_POINT }] }), umount: hanging })
  const refusal = await refusalOf(unmount(deps, MOUNT_POINT))
  expect(refusal).toMatchObject({ code: 'CLEANUP_FAILED', hint: expect.stringContaining(MOUNT_POINT) as string })
})
