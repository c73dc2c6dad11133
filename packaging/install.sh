#!/bin/sh
# Installs this release, or brings back what was installed of it, and does nothing twice. README.md has the rest.
# Installations of Systems Manager lie in the same place, in the same form: neither breaks the other's.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
# shellcheck source=../ssm-documents/installation.sh
. "$here/installation.sh"
launcher=/usr/local/bin/snapstream
settings=/etc/snapstream

# copy_release: what the sums list and nothing else; Node again from an installed version that has the same
copy_release() {
  staging=$(mktemp -d "$root/.staging.XXXXXX")
  installed=$(find_runtime "$(cat "$here/runtime.sha256")")
  sed 's/^[0-9a-f]*  //' "$here/SHA256SUMS" | while read -r file; do
    if [ "$file" = ./node ] && [ -n "$installed" ]; then
      ln "$installed" "$staging/node" || exit 1
    else
      cp -p "$here/$file" "$staging/$file" || exit 1
    fi
  done || fail "$here cannot be copied to $root" 'Unpack the release again, if it is not all there; see what cp says above.'
  cp "$here/SHA256SUMS" "$staging/SHA256SUMS"
  chown -R 0:0 "$staging"
  chmod -R u=rwX,go=rX "$staging"
  is_intact "$(basename "$staging")" ||
    fail "$here is damaged: its files are not what SHA256SUMS says" 'Unpack the release again, and check it: sha256sum --check --ignore-missing SHA256SUMS'
  "$staging/snapstream" --version >/dev/null ||
    fail 'the agent does not run on this host' "It needs glibc 2.28, and the release for $(uname -m); see what it says above."
}

# place SOURCE TARGET MODE: in one step, so that nobody reads half of it
place() {
  mkdir -p "$(dirname "$2")"
  install -m "$3" "$1" "$2.new"
  mv -fT "$2.new" "$2"
}

[ "$(id -u)" -eq 0 ] || fail 'only root can install the agent' 'Run this again with sudo.'
SSM_COMMAND_ID=install.sh take_turn
trap 'rm -rf "$root"/.staging.* "$root/.current" "$turn"' EXIT
trap 'exit 130' INT TERM
version=$(cat "$here/VERSION")
if ! is_intact "$version" || ! cmp -s "$here/SHA256SUMS" "$root/$version/SHA256SUMS"; then
  copy_release
  rm -rf "${root:?}/$version"
  mv -T "$staging" "$root/$version"
fi
activate "$version"

mkdir -p "$(dirname "$launcher")"
ln -sfn "$root/current/snapstream" "$launcher.new"
mv -fT "$launcher.new" "$launcher"
for unit in snapstream-backup.service snapstream-backup.timer; do
  place "$root/$version/$unit" "$units/$unit" 644
done
[ -d "$settings" ] || install -d -m 700 "$settings"
# shellcheck disable=SC2119 # The configuration says the rest.
clean_up_at_boot
[ -e "$settings/config.json" ] || echo "next: name a bucket in $settings/config.json (see $root/current/README.md)"
