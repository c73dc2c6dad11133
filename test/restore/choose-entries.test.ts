/** What becomes of each entry of a volume, taken one by one. Whole volumes: plan-volume.test.ts, hard-links.test.ts. */
import type { Role } from '../../agent/archive/select-entries'
import { AgentError } from '../../agent/errors'
import { chooseEntries, type PlanOptions } from '../../agent/restore/choose-entries'
import { plannedEntries } from '../../agent/restore/planned-entries.io'
import type { RestoreTarget } from '../../agent/restore/target.io'
import type { CatalogEntry } from '../../agent/tar/entry'
import { bare, catalogOf, different, dir, equal, file, given, having, link } from './plan-fixture'

const wantsAll: (path: string) => boolean = () => true

function choose(options: Partial<PlanOptions> = {}, target: RestoreTarget = bare, isWanted = wantsAll) {
  const all = { onConflict: 'fail' as const, resume: false, staged: false, lost: [], ...options }
  return chooseEntries(target, all, isWanted, plannedEntries())
}

function planOf(entries: readonly CatalogEntry[], roleOf: (path: string) => Role, choice = choose()) {
  for (const entry of entries) choice.take(entry, roleOf(entry.path))
  return choice.plan()
}

test('directories above what is wanted come back where they are not there, and are left alone where they are', () => {
  const entries = catalogOf(dir('.'), dir('a'), dir('a/b'), file('a/b/f'))
  const into = having({ '.': equal(true), a: different({ isDirectory: true }) })
  const plan = planOf(entries, (path) => (path === 'a/b/f' ? 'wanted' : 'ancestor'), choose({}, into))
  expect([given(entries, plan), plan.kept, plan.conflicts.count]).toEqual([['a/b', 'a/b/f'], 0, 0])
})

test('a fresh target is not looked at', () => {
  const inspect = () => {
    throw new Error('looked at')
  }
  expect(planOf(catalogOf(dir('.'), file('f')), () => 'wanted', choose({}, { ...bare, inspect })).entries).toBe(2)
})

describe('ranges that cannot be read', () => {
  // The entries lie at 0, 1024, 2048, …, 1024 bytes each.
  test.each([
    ['ends where an entry begins', [{ offset: 0, bytes: 1024 }], ['a']],
    ['begins where an entry ends', [{ offset: 3072, bytes: 1 }], ['d']],
    ['has its last byte in an entry', [{ offset: 0, bytes: 1025 }], ['a', 'b']],
    ['lies within an entry', [{ offset: 1500, bytes: 1 }], ['b']],
    ['takes all of some', [{ offset: 1024, bytes: 2048 }], ['b', 'c']],
    [
      'is followed by another in the same entry, and one in the next',
      [
        { offset: 1030, bytes: 5 },
        { offset: 1040, bytes: 5 },
        { offset: 2050, bytes: 5 },
      ],
      ['b', 'c'],
    ],
    ['lies behind all', [{ offset: 4096, bytes: 1024 }], []],
  ])('one that %s', (_, lost, paths) => {
    const entries = catalogOf(file('a'), file('b'), file('c'), file('d'))
    const plan = planOf(entries, () => 'wanted', choose({ lost }))
    expect(plan.lost.first).toEqual(paths)
    expect(plan.entries).toBe(4 - paths.length)
  })

  test('have directories in them that nobody asked for: those are not told of, what is wanted below them comes back', () => {
    const entries = catalogOf(dir('.'), dir('d'), file('d/f'))
    const choice = choose({ lost: [{ offset: 1024, bytes: 1 }] })
    const plan = planOf(entries, (path) => (path === 'd/f' ? 'wanted' : 'ancestor'), choice)
    expect([given(entries, plan), plan.lost.count]).toEqual([['.', 'd/f'], 0])
  })
})

test('what only tar can restore is told of, and so are links to it', () => {
  const entries = catalogOf(dir('.'), file('odd'), link('l', 'odd'))
  const plan = planOf(entries, (path) => (path === 'odd' ? 'by hand' : 'wanted'))
  expect([plan.byHand.first, plan.lost.first, plan.entries]).toEqual([['odd'], ['l'], 1])
})

test.each([
  [4074, 0],
  [4075, 1],
])('a path of %i bytes, which tar gets with "./" and puts "/proc/self/fd/1023/" in front of', (bytes, tooLong) => {
  const directories = `${'n'.repeat(203)}/`.repeat(19)
  const path = directories + 'n'.repeat(bytes - directories.length)
  expect(planOf(catalogOf(file(path)), () => 'wanted').tooLong.count).toBe(tooLong)
})

describe('a hard link', () => {
  const [first, second] = catalogOf(file('first'), link('second', 'first')) as [CatalogEntry, CatalogEntry]

  test('is lost where the data that it needs was passed by in a range that cannot be read', () => {
    const choice = choose({ lost: [{ offset: 0, bytes: 10 }] }, bare, (path) => path === 'second')
    choice.pass(first)
    choice.take(second, 'wanted')
    expect([choice.needsData(), choice.plan().lost.first]).toEqual([false, ['second']])
  })

  test('brings the data of what is hidden by a mount', () => {
    const choice = choose()
    choice.skip(first)
    choice.take(second, 'wanted')
    expect(choice.needsData()).toBe(true)
    choice.takeData(first)
    const plan = choice.plan()
    expect([given([first, second], plan), plan.kept]).toEqual([['first as ./second'], 1])
  })

  test('whose data nobody shows is damage', () => {
    const choice = choose({}, bare, (path) => path === 'second')
    choice.take(second, 'wanted')
    expect(() => choice.plan()).toThrow(expect.objectContaining({ code: 'ARCHIVE_DAMAGED' }))
  })

  const assertContained = () => {
    throw new AgentError('TARGET_UNFIT', 'there is a link', { hint: '' })
  }
  test.each<[string, RestoreTarget, Partial<PlanOptions>, boolean]>([
    ['is not led out of the target by what is there', having({}, { assertContained }), {}, true],
    ['cannot be led anywhere in a bare one', { ...bare, assertContained }, {}, false],
    ['is not made when what has failed is looked for', having({}, { assertContained }), { review: { keepDirectories: false } }, false], // prettier-ignore
  ])('%s', (_, target, options, isRefused) => {
    const choice = choose(options, target)
    choice.take(first, 'wanted')
    const take = () => choice.take(second, 'wanted')
    if (isRefused) expect(take).toThrow('there is a link')
    else expect(take).not.toThrow()
  })
})
