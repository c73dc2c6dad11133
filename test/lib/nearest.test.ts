import { findNearest } from '../../agent/lib/nearest'

const NAMES = ['bucket', 'class', 'level', 'log-level', 'storage-class']

test.each([
  ['bukcet', 'bucket'],
  ['Bucket', 'bucket'],
  ['clas', 'class'],
  ['loglevel', 'log-level'],
  ['storageclass', 'storage-class'],
  ['frobnicate', undefined],
  ['x', undefined],
])('%s was probably meant to be %s', (word, name) => {
  expect(findNearest(word, NAMES)).toBe(name)
})
