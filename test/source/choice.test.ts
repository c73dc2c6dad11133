import { AUTOMATIC, isAllowed, parseSourceChoice } from '../../agent/source/choice'
import { SNAPSHOT_SOURCES } from '../../agent/contract'

const srv = { targets: ['/mnt/bind', '/srv'] }
const allowed = (values: readonly string[], found: { readonly targets: readonly string[] } = srv) => {
  const choice = parseSourceChoice(values)
  return SNAPSHOT_SOURCES.filter((source) => isAllowed(choice, source, found))
}

test('who says nothing, or auto, leaves it to the sources', () => {
  expect(parseSourceChoice([])).toEqual(AUTOMATIC)
  expect(parseSourceChoice(['auto'])).toEqual(AUTOMATIC)
  expect(allowed([])).toEqual(['lvm', 'ebs', 'quiet'])
})

test('one source can be had for everything, another for one filesystem by any of its mount points', () => {
  expect(allowed(['ebs'])).toEqual(['ebs'])
  expect(allowed(['ebs', '/srv=quiet'])).toEqual(['quiet'])
  expect(allowed(['auto', '/mnt/bind=lvm'])).toEqual(['lvm'])
  expect(allowed(['auto', '/home=lvm'])).toEqual(['lvm', 'ebs', 'quiet'])
})

test('a mount point may have an equals sign in its name', () => {
  expect(allowed(['/srv/a=b=ebs'], { targets: ['/srv/a=b'] })).toEqual(['ebs'])
})
