/** What happens to a volume from one night to the next: everything that a comparison of names, sizes and times may miss. */

/** Before the first night, below `$ROOT`. */
export const BEFORE = `
mkdir -p "$ROOT/work/deep/er" "$ROOT/work/gone/with all" "$ROOT/work/swap-a" "$ROOT/work/swap-b" "$ROOT/work/attr"
cd "$ROOT/work"
for name in one two three four five six seven eight; do
  head -c 30000 /dev/urandom >"$name"
  cp "$name" "deep/$name"; cp "$name" "deep/er/$name"; cp "$name" "gone/with all/$name"
done
printf aaaa >same-size; touch --date=@1234567890.123456789 same-size
head -c 200000 /dev/urandom >mapped
head -c 262144 /dev/urandom >punched
# Most of it stays as it is: else full archives would be better.
head -c 4000000 /dev/urandom >stays
echo a >swap-a/file; echo b >swap-b/file; echo a >name-a; echo b >name-b
ln one link-of-one; ln two link-of-two; ln deep/three deep/er/link-of-three
ln eight swap-a/eight; ln eight swap-b/eight
for name in xattr acl label capability owner mode; do echo "$name" >"attr/$name"; done
mkdir attr/directory; setfattr --name user.kept --value yes attr/directory
echo file >becomes-directory; mkdir becomes-link becomes-file; echo x >becomes-link/x; echo y >becomes-file/y
ln -s nowhere link; mkfifo fifo
printf 'back\\n' >"$(printf 'not \\377 UTF-8')"; echo new >"$(printf 'new\\nline')"; echo dash >-dash
`

/** What is done after a night, and what is to be seen in the next one. */
export interface Day {
  readonly name: string
  /** A shell's lines, below `$ROOT`. */
  readonly changes: string
}

export const DAYS: readonly Day[] = [
  {
    name: 'directories are renamed, files are rewritten under their size and time, mapped, and punched',
    changes: `
cd "$ROOT/work"
mv deep deeper
printf bbbb >same-size; touch --date=@1234567890.123456789 same-size
python3 -c 'import mmap; f = open("mapped", "r+b"); m = mmap.mmap(f.fileno(), 0); m[70000:70004] = b"mmap"; m.flush()'
touch -r attr/mode mapped
fallocate --punch-hole --offset 65536 --length 65536 punched
echo appended >>three`,
  },
  {
    name: 'attributes, access lists, labels, capabilities, owners and modes change alone',
    changes: `
cd "$ROOT/work/attr"
setfattr --name user.new --value value xattr
setfacl --modify user:1001:rw acl
setfattr --name security.selinux --value 0sc3lzdGVtX3U6b2JqZWN0X3I6ZXRjX3Q6czAA label
setcap cap_net_raw=ep capability
chown 1003:1004 owner
chmod 4711 mode
setfacl --default --modify user:1002:r directory
chown -h 1005 ../link`,
  },
  {
    name: 'hard links come and go, types change, names are swapped, inodes are used again',
    changes: `
cd "$ROOT/work"
ln four link-of-four; rm link-of-one; ln two third-of-two; mv deeper/er/link-of-three deeper/moved-link
rm becomes-directory; mkdir becomes-directory; echo in >becomes-directory/in
rm -r becomes-link; ln -s /etc becomes-link
rm -r becomes-file; echo now >becomes-file
mv name-a name-t; mv name-b name-a; mv name-t name-b
mv swap-a swap-t; mv swap-b swap-a; mv swap-t swap-b
rm five; echo another >five-again
rm -r gone; rm link; mkdir link`,
  },
  {
    name: 'the clock steps back while files are written',
    changes: `
cd "$ROOT/work"
date -s "@$(($(date +%s) - 7200))" >/dev/null
echo 'written yesterday' >six; echo new >'from yesterday'; setfattr --name user.past --value 1 seven
date -s "@$(($(date +%s) + 7200))" >/dev/null`,
  },
]
