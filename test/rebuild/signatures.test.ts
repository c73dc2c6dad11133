import { parseSignatures } from '../../agent/rebuild/signatures'
import { SIGNATURES } from './fixture'

test('signatures are read as blkid writes them; what it leaves out is empty', () => {
  expect(parseSignatures(SIGNATURES).map(({ device, type, uuid, label }) => [device, type, uuid, label])).toEqual([
    ['/dev/mapper/vg0-swap', 'swap', 'uuid-of-swap', 'old swap'],
    ['/dev/mapper/vg1-mail', 'xfs', 'uuid-of-mail', ''],
    ['/dev/mapper/vg0-secret', 'crypto_LUKS', 'uuid-of-secret', ''],
  ])
})

test.each([
  ['nothing', '', []],
  ['a device without a type, such as a disk with a partition table', 'DEVNAME=/dev/sda\nPTTYPE=gpt\n', []],
  ['a type of no device', 'TYPE=ext4\nUUID=x\n', []],
  ['a message of something else', 'blkid: error: /dev/sdz: No such file or directory\n', []],
  ['a field that only looks like one', 'DEVNAME=/dev/sda\nnot-TYPE=ext4\n', []],
  [
    'a label with what looks like a field',
    'DEVNAME=/dev/sda\nLABEL=a\\ TYPE=xfs\nTYPE=ext4\n',
    [['ext4', 'a TYPE=xfs']],
  ],
  ['a label with a backslash', 'DEVNAME=/dev/sda\nLABEL=a\\\\b\nTYPE=ext4\n', [['ext4', 'a\\b']]],
])('of %s is made what it is', (_, text, found) => {
  expect(parseSignatures(text).map(({ type, label }) => [type, label])).toEqual(found)
})
