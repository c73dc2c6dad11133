import {
  acl,
  Capability,
  capabilities,
  defaultAcl,
  device,
  directory,
  fifo,
  file,
  hardlink,
  label,
  socket,
  sparse,
  symlink,
  type DirectoryLiteral,
  type Literal,
} from './literal'

const KIB = 1024
const MIB = 1024 * KIB
/** Longest name of ext4 and xfs (NAME_MAX). */
const NAME_BYTES_MAX = 255
/** Longest target of a symlink on xfs (XFS_SYMLINK_MAXLEN, less the NUL); ext4 takes 4,095. */
const TARGET_BYTES_MAX = 1023

const ETC = label('system_u:object_r:etc_t:s0')
const READ_BY_1001 = acl('user::rw-,user:1001:r--,group::r--,mask::r--,other::---')

/** One of everything that a backup can get wrong, small enough to be part of every test. */
export function hostileTree(): DirectoryLiteral {
  return directory(
    { metadata: metadata(), links: links(), sparse: sparseFiles(), special: special(), names: names(), times: times() },
    { mode: 0o755, mtime: '1700000000.123456789', xattrs: { 'trusted.root': Buffer.from('of the volume') } },
  )
}

/**
 * What GNU tar does not keep as it is: it leaves sockets out ("socket ignored"), makes a fifo or device of each of its
 * names, and ends a label with the NUL that libselinux writes but `setfattr` need not.
 */
export function beyondTar(): DirectoryLiteral {
  return directory({
    socket: socket(),
    fifo: fifo(),
    'fifo (2)': hardlink('fifo'),
    label: file('as setfattr writes it', { xattrs: { 'security.selinux': Buffer.from('system_u:object_r:usr_t:s0') } }),
  })
}

function metadata(): Literal {
  return directory(
    {
      acl: file('an access ACL', { mode: 0o640, xattrs: READ_BY_1001 }),
      'acl by default': directory(
        { within: 'inherits nothing, as it was here first' },
        {
          xattrs: {
            ...acl('user::rwx,user:4000000000:rwx,group::r-x,group:7:--x,mask::rwx,other::---'),
            ...defaultAcl('user::rwx,user:1001:r-x,group::r-x,group:7:rwx,mask::rwx,other::---'),
          },
        },
      ),
      label: file('a label', { xattrs: ETC }),
      'label of a directory': directory({}, { xattrs: label('system_u:object_r:var_log_t:s0:c0.c1023') }),
      'label of a link': symlink('label', { xattrs: label('system_u:object_r:bin_t:s0') }),
      ping: file('#!', { mode: 0o755, xattrs: capabilities(Capability.netRaw, Capability.netBindService) }),
      'all at once': file('everything', {
        mode: 0o640,
        uid: 1001,
        gid: 7,
        xattrs: { ...READ_BY_1001, ...ETC, ...capabilities(Capability.sysTime), 'user.a': Buffer.from('1') },
      }),
      attributes: file('attributes', {
        xattrs: {
          'user.empty': Buffer.alloc(0),
          'user.binary': Buffer.from([0, 1, 2, 0xff, 10, 0x3d, 0]),
          'user.looks like = a record\n': Buffer.from('30 mtime=0\n'),
          'user.2 KiB': Buffer.alloc(2 * KIB, 'long '),
          'user.\u00fcml\u00e4ut': Buffer.from('gr\u00fc\u00df'),
          'trusted.overlay.opaque': Buffer.from('y'),
          'security.ima': Buffer.from([4, 2, 0xde, 0xad, 0xbe, 0xef]),
        },
      }),
      'attributes of a link': symlink('attributes', { xattrs: { 'trusted.link': Buffer.from('on the link itself') } }),
      'attributes of a fifo': fifo({ xattrs: { 'trusted.fifo': Buffer.from('too') } }),
      'set-id': directory({
        setuid: file('su', { mode: 0o4755, uid: 65534 }),
        setgid: file('sg', { mode: 0o2711, gid: 42 }),
        all: file('all', { mode: 0o7777 }),
        'setuid with a capability': file('x', { mode: 0o4711, uid: 1, xattrs: capabilities(Capability.netRaw) }),
        tmp: directory({}, { mode: 0o1777 }),
        shared: directory({}, { mode: 0o2775, gid: 100 }),
      }),
      modes: directory({
        none: file('nobody', { mode: 0 }),
        'no way in': directory({ inside: 'still archived' }, { mode: 0 }),
        'write only': file('w', { mode: 0o222 }),
        'execute only': file('x', { mode: 0o111 }),
      }),
      owners: directory({
        'without a name': file('u', { uid: 54321, gid: 12345 }),
        'beyond octal': file('u', { uid: 3_000_000_000, gid: 4_294_967_294 }),
        'of a link': symlink('nowhere', { uid: 1001, gid: 1002 }),
        'of a directory': directory({}, { uid: 2_097_152, gid: 2_097_152 }),
      }),
    },
    { xattrs: ETC },
  )
}

function links(): Literal {
  return directory({
    a: directory({ first: file('three names', { mode: 0o600, xattrs: { 'user.shared': Buffer.from('by all') } }) }),
    b: directory({ second: hardlink('links/a/first'), deeper: directory({ third: hardlink('links/a/first') }) }),
    'another pair': 'two names',
    'another pair (2)': hardlink('links/another pair'),
    'empty pair': '',
    'empty pair (2)': hardlink('links/empty pair'),
    'symlink pair': symlink('somewhere'),
    'symlink pair (2)': hardlink('links/symlink pair'),
    absolute: symlink('/etc/passwd'),
    dangling: symlink('no/such/file'),
    'to itself': symlink('to itself'),
    upwards: symlink('../../../../../../etc'),
    'long target': symlink(`${'t'.repeat(200)}/`.repeat(6).slice(0, TARGET_BYTES_MAX)),
    'target of 101': symlink('t'.repeat(101)),
    'hostile target': symlink('new\nline \udcff\\'),
  })
}

function sparseFiles(): Literal {
  const many = Array.from({ length: 200 }, (_, index) => [index * 64 * KIB, index * 64 * KIB + 4 * KIB] as const)
  return directory({
    'leading hole': sparse(2 * MIB + 4 * KIB, [[2 * MIB, 2 * MIB + 4 * KIB]]),
    'trailing hole': sparse(3 * MIB, [[0, 4 * KIB]]),
    'nothing but hole': sparse(64 * MIB, []),
    'hole of one block': sparse(12 * KIB, [
      [0, 4 * KIB],
      [8 * KIB, 12 * KIB],
    ]),
    'many holes': sparse(200 * 64 * KIB, many),
    'odd size': sparse(MIB + 1, [[512 * KIB, 516 * KIB]], { xattrs: ETC }),
    'zeros, not holes': file(Buffer.alloc(64 * KIB)),
    linked: sparse(MIB, [[0, 4 * KIB]]),
    'linked (2)': hardlink('sparse/linked'),
  })
}

function special(): Literal {
  return directory({
    fifo: fifo({ mode: 0o622, uid: 1001 }),
    null: device('character', 1, 3, { mode: 0o666 }),
    sda1: device('block', 8, 1, { mode: 0o660, gid: 6, xattrs: label('system_u:object_r:fixed_disk_device_t:s0') }),
    'beyond a byte': device('block', 259, 70_000),
    'overlay whiteout': device('character', 0, 0),
    'empty directory': directory({}),
    'empty file': '',
    'one byte': 'x',
    'a block': 'b'.repeat(512),
    'a block and a byte': 'b'.repeat(513),
  })
}

function names(): Literal {
  const plain = [
    'new\nline',
    'carriage\rreturn',
    'tab\there',
    ' leading space',
    'trailing space ',
    ' ',
    '-leading-dash',
    '--checkpoint-action=exec=false',
    '*',
    '?',
    '[a-z]',
    '~',
    '#comment',
    '$HOME',
    '`id`',
    '!history',
    "single ' quote",
    'double " quote',
    'back\\slash',
    'trailing\\',
    '\\n and \\012 as text',
    '...',
    '.hidden',
    '@file',
    'a=b',
    '30 path=evil',
    '\u0001\u001b[31mescape\u007f',
    'latin-1 caf\udce9',
    'not UTF-8 \udcff\udcfe',
    'cut short \udce2\udc82',
    'overlong \udcc0\udcaf',
    'surrogate \udced\udca0\udc80',
    'composed \u00e9',
    'decomposed e\u0301',
    'right to left \u202e',
    'wide \u{1f480}',
    'n'.repeat(99),
    'n'.repeat(100),
    'n'.repeat(101),
    '\u00fc'.repeat(127),
    'n'.repeat(NAME_BYTES_MAX),
  ]
  return directory({
    ...Object.fromEntries(plain.map((name) => [name, `named ${name.length}`])),
    'directory\n\udcff': directory({ 'in\nside': 'x', linked: hardlink('names/new\nline') }),
    'with attributes\n\\\r=\udcff': file('x', { mode: 0o640, xattrs: { ...ETC, ...READ_BY_1001 } }),
    'old times \udcff': file('x', { mtime: '-1.5' }),
    deep: nested('deep', 60, { bottom: 'sixty directories down' }),
    long: nested('d'.repeat(NAME_BYTES_MAX), 8, { ['f'.repeat(NAME_BYTES_MAX)]: 'a path of 2,300 bytes' }),
  })
}

function times(): Literal {
  return directory(
    {
      nanoseconds: file('t', { mtime: '1234567890.987654321' }),
      'one nanosecond': file('t', { mtime: '0.000000001' }),
      epoch: file('t', { mtime: '0' }),
      'before 1970': file('t', { mtime: '-86400.5' }),
      '1901': file('t', { mtime: '-2147483648' }),
      'after 2038': file('t', { mtime: '2147483648.25' }),
      '2400': file('t', { mtime: '13569465600.999999999' }),
      'of a link': symlink('nowhere', { mtime: '1111111111.111111111' }),
      'of a directory': directory({ newer: 'than its directory' }, { mtime: '1000000000.000000001' }),
      'of a fifo': fifo({ mtime: '999999999.5' }),
    },
    { mtime: '-0.25' },
  )
}

function nested(name: string, depth: number, bottom: Readonly<Record<string, Literal | string>>): Literal {
  return depth === 1 ? directory(bottom) : directory({ [name]: nested(name, depth - 1, bottom) })
}
