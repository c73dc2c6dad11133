# shellcheck shell=sh
# Runs the agent so that it outlives this shell. Systems Manager ends a command that takes too long, or is cancelled,
# with SIGKILL to the shell's process group; the agent has snapshots to remove first. In a unit or a session of its own
# it gets SIGTERM instead, early enough to clean up before Systems Manager loses patience.
set -eu
umask 077
started=$(date +%s)
agent=/opt/snapstream/current/snapstream
export HOME=/root LC_ALL=C TZ=UTC
export PATH="${PATH:-/usr/bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a unit does not inherit: credentials of Default Host Management, and the way to S3.
passed_on='AWS_SHARED_CREDENTIALS_FILE AWS_SSM_INSTANCE_ID AWS_SSM_REGION_NAME SSM_COMMAND_ID HOME LC_ALL TZ PATH
AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_EC2 AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL
AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_CA_BUNDLE NODE_EXTRA_CA_CERTS
HTTPS_PROXY HTTP_PROXY NO_PROXY https_proxy http_proxy no_proxy'

# run_agent TIMEOUT_SECONDS ARGUMENT...
run_agent() {
  if ! [ -x "$agent" ]; then
    echo 'snapstream is not installed on this host' >&2
    echo 'HINT: Run the Install document on it, or wait for the association that does.' >&2
    exit 1
  fi
  left=$(($1 - ($(date +%s) - started)))
  shift
  grace=$((left / 5))
  [ "$grace" -le 300 ] || grace=300
  deadline=$((left - grace))
  stop=$((grace / 2))

  # What commands left here that were killed themselves. No command lasts for 48 hours.
  find /run -maxdepth 1 -name 'snapstream-command.*' -mmin +2880 -exec rm -r {} +
  output=$(mktemp -d /run/snapstream-command.XXXXXX)
  kept=7000
  progress=
  case " $* " in
  *' --log-level '*)
    kept=6000
    say_progress &
    progress=$!
    ;;
  esac
  status=0
  if [ -d /run/systemd/system ]; then
    run_in_unit "$@" || status=$?
  else
    run_in_session "$@" || status=$?
  fi
  if [ -n "$progress" ]; then
    kill "$progress" 2>/dev/null || true
    wait "$progress" 2>/dev/null || true
  fi
  cat "$output/stdout"
  # Systems Manager keeps the first 8,000 characters; what went wrong comes last.
  tail -c "$kept" "$output/stderr" >&2
  rm -r "$output"

  # The SSM agent takes other statuses for orders of its own: 194, for one, reboots the host.
  case $status in
  0 | 1 | 2 | 3 | 4 | 5 | 11 | 130) exit "$status" ;;
  esac
  echo "the agent ended with status $status" >&2
  exit 1
}

# Where somebody asked for the log: what it said last, at growing intervals over half a day, for CloudWatch has what this
# shell prints while it runs. In 20 lines of 90 characters at most, since the rest is for what went wrong.
say_progress() {
  trap 'kill "$sleeper" 2>/dev/null; exit 0' TERM
  pause=5
  said=
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    # Whoever waits for the end of our output is not to wait for this.
    sleep "$pause" >/dev/null 2>&1 &
    sleeper=$!
    wait "$sleeper"
    line=$(tail -n 1 "$output/stderr" 2>/dev/null | cut -c 1-89)
    if [ -n "$line" ] && [ "$line" != "$said" ]; then echo "$line" >&2; fi
    said=$line
    [ "$pause" -ge 3600 ] || pause=$((pause * 2))
  done
}

# Who reboots the host stops the unit, while there still is a network to give EC2's volumes back by.
# The output goes to files: were it this shell's pipe, Systems Manager would wait for it after it has killed the shell.
run_in_unit() {
  set -- "$agent" "$@"
  for variable in $passed_on; do
    if value=$(printenv "$variable"); then set -- "--setenv=$variable=$value" "$@"; fi
  done
  systemd-run --quiet --collect --wait --unit="snapstream-command-${SSM_COMMAND_ID:-$$}" \
    --property="RuntimeMaxSec=$deadline" --property="TimeoutStopSec=$stop" --property=KillMode=mixed \
    --property=OOMScoreAdjust=500 --property=UMask=0077 --property=After=network-online.target \
    --property="StandardOutput=file:$output/stdout" --property="StandardError=file:$output/stderr" "$@"
}

run_in_session() {
  setsid timeout --foreground --kill-after="$stop" "$deadline" "$agent" "$@" \
    >"$output/stdout" 2>"$output/stderr" </dev/null &
  echo "$!" >"$output/pid"
  wait "$!"
}
