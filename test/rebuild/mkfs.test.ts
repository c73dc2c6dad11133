import { mkfsOptions } from '../../agent/rebuild/mkfs'

/** `dumpe2fs -h` 1.47.0 of a mounted ext4 made with -b 4096 -I 128 -m 1 -O ^metadata_csum,^64bit,quota, in parts. */
const EXT4 = `Filesystem volume name:   <none>
Filesystem features:      has_journal ext_attr resize_inode dir_index filetype needs_recovery extent flex_bg quota
Default mount options:    user_xattr acl
Inode count:              20096
Block count:              131072
Reserved block count:     1310
Block size:               4096
Fragment size:            4096
Inode size:	          128
Journal features:         (none)
`

/** `xfs_info` 6.1.0 of a filesystem made with -m crc=0. */
const XFS = `meta-data=/dev/ubdb              isize=256    agcount=4, agsize=32768 blks
         =                       sectsz=512   attr=2, projid32bit=1
         =                       crc=0        finobt=0, sparse=0, rmapbt=0
         =                       reflink=0    bigtime=0 inobtcount=0 nrext64=0
data     =                       bsize=2048   blocks=131072, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=0
log      =internal log           bsize=4096   blocks=16384, version=2
`

test.each([
  [
    'ext4',
    EXT4,
    '-O none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,flex_bg,quota -b 4096 -I 128 -N 20096 -m 1.00',
  ],
  [
    'xfs',
    XFS,
    '-b size=2048 -m crc=0,finobt=0,rmapbt=0,reflink=0,bigtime=0,inobtcount=0 -i size=256,sparse=0,maxpct=25,nrext64=0 -n ftype=0',
  ],
  [
    'xfs of an old host',
    'meta-data=/dev/sda isize=512 \n = crc=1 finobt=0 spinodes=0\n',
    '-m crc=1,finobt=0 -i size=512',
  ],
  ['ext4', 'Block size:               1024\n', '-b 1024'],
  ['ext4', '', ''],
  ['xfs', '', ''],
])('%s is made again as it was', (filesystem, description, options) => {
  expect(mkfsOptions(filesystem.split(' ')[0]!, description).join(' ')).toBe(options)
})

test('a description is not trusted to be one', () => {
  expect(mkfsOptions('ext4', 'Block size: 1 -E x\nFilesystem features: a,b $(c) d\nInode size: -1\n')).toEqual([
    '-O',
    'none,d',
  ])
})
