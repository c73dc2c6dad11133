import fc from 'fast-check'
import { fileName } from '../../agent/lib/untrusted'
import { deviceMapperName } from '../../agent/source/lvm/record'
import { mountPointName } from '../../agent/source/volume-name'

test.each([
  ['/', 'root'],
  ['/boot', 'boot'],
  ['/boot/efi', 'boot.efi'],
  ['/root', 'root--'],
  ['/srv/my-data', 'srv.my--2Ddata'],
  ['/srv/a.b', 'srv.a--2Eb'],
  ['/srv/Bücher', 'srv.B--C3--BCcher'],
  ['/.snapshots', '+--2Esnapshots'],
])('what is mounted on %s is called %s', (mountPoint, name) => {
  expect(mountPointName(mountPoint)).toBe(name)
})

const mountPoint = fc.oneof(
  fc.constantFrom(
    '/',
    '/root',
    '/root--',
    '/root.x',
    '/root/x',
    '/a/b',
    '/a.b',
    '/a--b',
    '/a-b',
    '/a--2Db',
    '/-',
    '/+--2D',
  ),
  fc
    .array(fc.string({ minLength: 1, unit: 'grapheme' }).map((part) => part.replaceAll(/[/\0]/g, 'x')))
    .map((parts) => `/${parts.join('/')}`),
)

test('no two mount points share a name', () => {
  fc.assert(
    fc.property(mountPoint, mountPoint, (a, b) => {
      expect(mountPointName(a) === mountPointName(b)).toBe(a === b)
    }),
  )
})

test('every name may stand in a manifest, and in a key', () => {
  fc.assert(fc.property(mountPoint, (path) => expect(fileName.safeParse(mountPointName(path)).success).toBe(true)))
})

const lvmName = fc.stringMatching(/^[a-zA-Z0-9+_.][a-zA-Z0-9+_.-]{0,20}$/)

test('no mount point has the name of a logical volume', () => {
  fc.assert(
    fc.property(mountPoint, lvmName, lvmName, (path, group, name) => {
      expect(mountPointName(path)).not.toBe(deviceMapperName({ group, name }))
      // Runs of hyphens are even here, and one is odd there.
      expect(mountPointName(path)).not.toMatch(/(?<!-)(?:--)*-(?!-)/)
    }),
  )
})
