const { findLacks } = jest.requireActual<{
  findLacks: (user: number, isThere: (program: string) => boolean) => string[]
}>('./unit-setup.cjs')

test('on a machine that has all of it, nothing is said', () => {
  expect(findLacks(0, () => true)).toEqual([])
})

test('who runs the tests as somebody else is told why some of them fail', () => {
  expect(findLacks(1000, () => true)).toEqual([
    'Tests that make devices, owners, attributes or mounts need root, and will fail: this is user 1000.',
  ])
})

test('what is not installed is named, with where to get it', () => {
  expect(findLacks(0, (program) => program !== 'setfacl' && program !== 'zstd')).toEqual([
    'Tests will fail that need setfacl (package acl), zstd (package zstd): "npm run setup", as root, installs what is missing.',
  ])
})
