import { compareTrees } from './compare'
import { countEntries, type Entry } from './entry'
import { parseSeeks } from './extents'
import { acl } from './literal'
import { decodeName, encodeName } from './names'
import { parseGetfattr } from './xattrs'

test.each([
  ['plain', Buffer.from('plain')],
  ['gr\u00fc\u00df \u{1f480}', Buffer.from('gr\u00fc\u00df \u{1f480}')],
  ['caf\udce9', Buffer.from('caf\xe9', 'latin1')],
  ['\udcff\udcfe', Buffer.of(0xff, 0xfe)],
  ['cut \udce2\udc82', Buffer.from('cut \xe2\x82', 'latin1')],
  ['a surrogate \udced\udca0\udc80', Buffer.from('a surrogate \xed\xa0\x80', 'latin1')],
  ['\u{1f480}\udcff\u{1f480}', Buffer.concat([Buffer.from('\u{1f480}'), Buffer.of(0xff), Buffer.from('\u{1f480}')])],
])('the name %j and its bytes are one to one', (name, bytes) => {
  expect(decodeName(bytes)).toBe(name)
  expect(encodeName(name)).toEqual(bytes)
})

describe('attributes, from getfattr --dump --encoding=base64', () => {
  test('by path, with escaped names', () => {
    const output =
      '# file: .\ntrusted.t=0sAP8=\n\n# file: ./a\\012b\\134c=d\xff\nuser.we\\075ird=0saGk=\nuser.empty=0s\n\n'
    expect([...parseGetfattr(Buffer.from(output, 'latin1'))]).toEqual([
      ['.', { 'trusted.t': 'AP8=' }],
      ['a\nb\\c=d\udcff', { 'user.empty': '', 'user.we=ird': 'aGk=' }],
    ])
  })

  test.each(['user.a=0saGk=\n', '# file: x\nuser.a="hi"\n\n', '# file: x\nuser.a\n\n'])('refuses %j', (output) => {
    expect(() => parseGetfattr(Buffer.from(output))).toThrow(/^not /)
  })
})

describe('extents, from xfs_io', () => {
  const answer = (...lines: string[]) => `Whence\tResult\n${lines.join('\n')}\n`

  test.each([
    ['without a hole', ['DATA\t0', 'HOLE\t5000'], [[0, 5000]]],
    ['with a hole first', ['HOLE\t0', 'DATA\t4096', 'HOLE\t8192'], [[4096, 8192]]],
    ['of holes only', ['HOLE\t0', 'DATA\tEOF'], []],
    ['empty', ['DATA\tEOF'], []],
  ])('of a file %s', (_, lines, extents) => {
    expect(parseSeeks(answer(...lines), 1)).toEqual([extents])
  })

  test('are refused where one file has no answer', () => {
    expect(() => parseSeeks(answer('DATA\t0', 'HOLE\t1'), 2)).toThrow('answered for 1 of 2 files')
  })
})

test('an ACL is what setfacl makes of the same text', () => {
  // touch f; setfacl -m u:1001:rx,m::rwx f; getfattr -n system.posix_acl_access -e base64 f
  expect(acl('user::rw-,user:1001:r-x,group::r--,mask::rwx,other::r--')['system.posix_acl_access']).toEqual(
    Buffer.from('AgAAAAEABgD/////AgAFAOkDAAAEAAQA/////xAABwD/////IAAEAP////8=', 'base64'),
  )
})

describe('a comparison', () => {
  const file: Entry = { path: 'f', kind: 'file', mode: 0o644, uid: 0, gid: 0, mtime: '1', links: 1, sizeBytes: 0 }

  test('finds nothing in the same', () => {
    expect(compareTrees([file], [{ ...file }])).toEqual([])
  })

  test('names what is missing, extra and different, with both values', () => {
    const label = { 'security.selinux': 'YQ==' }
    const differences = compareTrees(
      [file, { ...file, path: 'lost' }, { ...file, path: 'labelled', xattrs: label }],
      [
        { ...file, mtime: '2' },
        { ...file, path: 'labelled' },
        { ...file, path: 'new' },
      ],
    )
    expect(differences).toEqual([
      { path: 'f', what: 'modification time', expected: '"1"', actual: '"2"' },
      { path: 'lost', what: 'missing' },
      { path: 'labelled', what: 'SELinux label', expected: '"YQ=="', actual: undefined },
      { path: 'new', what: 'extra' },
    ])
  })

  test('counts what it compared, hard links once as files', () => {
    expect(countEntries([file, { ...file, path: 'g', linkedTo: 'f' }, { ...file, path: 'caf\udce9' }])).toEqual({
      files: 2,
      'hard links': 1,
      'names that are hard to handle': 1,
    })
  })
})
