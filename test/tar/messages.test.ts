import { classifyMessage, tarMessages } from '../../agent/tar/messages'

/** As GNU tar 1.29 to 1.35 print them in the C locale, with status 0. */
test.each<[string, string | undefined]>([
  ['tar: ./run/daemon: socket ignored', 'sockets'],
  ['tar: ./caf\\303\\251\\: x: socket ignored', 'sockets'],
  ['tar: ./ends in a backslash\\\\: socket ignored', 'sockets'],
  ['tar: ./mnt/: file is on a different filesystem; not dumped', 'mount points'],
  ['tar: ./x: Warning: Cannot fgetxattr: Input/output error', undefined],
  ['tar: ./x: Warning: Cannot llistxattrat: Structure needs cleaning', undefined],
  ['tar: ./x: Warning: Cannot file_has_acl_at: Input/output error', undefined],
  ['tar: ./x: Warning: Cannot acl_get_file_at: Input/output error', undefined],
  ['tar: ./x: Warning: Cannot fgetfilecon: Input/output error', undefined],
  ['tar: ./x: file is the archive; not dumped', undefined],
  ['tar: ./x: door ignored', undefined],
  ['tar: ./x: Unknown file type; file ignored', undefined],
  ['tar: ./x: contains a cache directory tag CACHEDIR.TAG; contents not dumped', undefined],
  ['tar: ./x: implausibly old time stamp 1901-12-13', undefined],
  ['tar: ./x\\: socket ignored', undefined],
  ['tar: ./x: Warning: Cannot open\\: socket ignored', undefined],
  ["ERROR: ld.so: object 'x.so' from LD_PRELOAD cannot be preloaded: ignored.", undefined],
])('"%s" is %s', (line, kind) => {
  expect(classifyMessage(line)).toBe(kind)
})

test.each([1, 3, 7, 64, 100_000])('all that is said is counted, however it arrives: %d bytes at a time', (bytes) => {
  const text = Buffer.from(
    'tar: ./a: socket ignored\ntar: ./x: Warning: Cannot fgetxattr: Input/output error\n\n' +
      `${'tar: ./b: socket ignored\n'.repeat(1000)}tar: ./${'d/'.repeat(30_000)}: Warning: Cannot fgetxattr: Input/output error\n` +
      `tar: ./${'d/'.repeat(30_000)}s: socket ignored\n${'tar: ./y: Warning: Cannot fgetfilecon: Input/output error\n'.repeat(50)}and a rest`,
  )
  const messages = tarMessages()
  for (let at = 0; at < text.length; at += bytes) messages.push(text.subarray(at, at + bytes))

  const { leftOut, warnings } = messages.summary()

  expect([...leftOut]).toEqual([['sockets', { count: 1002, first: 'tar: ./a: socket ignored' }]])
  expect(warnings.count).toBe(53)
  expect(warnings.lines).toHaveLength(20)
  expect(warnings.lines[0]).toBe('tar: ./x: Warning: Cannot fgetxattr: Input/output error')
  expect(warnings.lines[1]).toMatch(/^tar: \.\/d\/d\/.*….*d\/: Warning: Cannot fgetxattr: Input\/output error$/)
  expect(warnings.lines[1]!.length).toBeLessThan(600)
})
