#!/usr/bin/env bash
# Tries on AWS what no simulator knows of the policy for hosts without LVM: that it lets a host do what a backup does, and nothing to
# what is another host's. To be run as root or anybody else on an EC2 instance whose role has that policy (output HostEbsPolicy of the stack), with
# the AWS CLI. docs/deploy.md says what hangs on the answers.
#
# What is only asked for is a dry run. What is made is a volume of 1 GiB, its snapshot and a volume of that, which are attached to this
# instance, never mounted, and removed before this ends, whatever ends it. They cost less than a cent.
set -euo pipefail

usage() {
  cat <<'USAGE'
usage: try-on-aws.sh --yes [--other-instance ID] [--other-volume ID] [--other-snapshot ID]

  --yes                yes, make and remove two volumes of 1 GiB and a snapshot (less than a cent)
  --other-instance ID  an instance that this one must not touch: asks what the policy says of it, and does nothing to it
  --other-volume ID    as well for a volume that is attached elsewhere ...
  --other-snapshot ID  ... and for a snapshot of another host

For where there is no instance metadata service:
  --instance ID --zone ZONE --region REGION --account ID

Status 0: AWS answered everything as expected. 1: it did not; each such line begins with PROBLEM. 2: wrong usage.
USAGE
}

fail() {
  printf '%s\nHINT: %s\n' "$1" "$2" >&2
  exit "${3:-1}"
}

yes='' instance='' zone='' region='' account='' other_instance='' other_volume='' other_snapshot=''
while [ $# -gt 0 ]; do
  case $1 in
  --yes) yes=1 ;;
  --help | -h)
    usage
    exit 0
    ;;
  --instance | --zone | --region | --account | --other-instance | --other-volume | --other-snapshot)
    [ $# -ge 2 ] || fail "$1 needs a value" 'See --help.' 2
    name=${1#--}
    printf -v "${name//-/_}" '%s' "$2"
    shift
    ;;
  *) fail "$1 is no option of this script" 'See --help.' 2 ;;
  esac
  shift
done
[ -n "$yes" ] || {
  usage >&2
  exit 2
}
command -v aws >/dev/null || fail 'the AWS CLI is not installed' 'Install awscli, or "pip install awscli".'

poll_seconds=${TRY_ON_AWS_POLL_SECONDS:-3}
patience_seconds=600
# Marks what this makes, so that it finds all of it again.
run=$(date -u +%Y%m%dT%H%M%SZ)-tryaws
problems=0
checks=0

metadata() {
  local token
  token=$(curl --silent --fail --max-time 5 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
    http://169.254.169.254/latest/api/token) || return 1
  curl --silent --fail --max-time 5 --header "X-aws-ec2-metadata-token: $token" "http://169.254.169.254/latest/dynamic/instance-identity/document"
}

# field NAME: of the identity document, at standard input
field() { sed -n "s/^ *\"$1\" *: *\"\([^\"]*\)\".*/\1/p"; }

if [ -z "$instance" ]; then
  identity=$(metadata) || fail 'this is no EC2 instance, or its metadata service does not answer' 'Run this on an instance.'
  instance=$(field instanceId <<<"$identity")
  zone=$(field availabilityZone <<<"$identity")
  region=$(field region <<<"$identity")
  account=$(field accountId <<<"$identity")
fi
for value in "$zone" "$region" "$account"; do
  [ -n "$value" ] || fail 'zone, region or account is missing' 'Give --zone, --region and --account too.' 2
done

case $region in
cn-*) partition=aws-cn ;;
us-gov-*) partition=aws-us-gov ;;
eusc-*) partition=aws-eusc ;;
*) partition=aws ;;
esac
arn_of() { echo "arn:$partition:ec2:$region:$account:instance/$1"; }
self=$(arn_of "$instance")
nobody=$(arn_of i-00000000000000000)

export AWS_PAGER=''
ec2() { aws --region "$region" --output text ec2 "$@"; }

expires=$(date -u -d '+2 hours' +%Y-%m-%dT%H:%M:%SZ)
# marks TYPE HOST: what is made has to bear
marks() {
  echo "ResourceType=$1,Tags=[{Key=snapstream:host,Value=$2},{Key=snapstream:run,Value=$run},{Key=snapstream:expires,Value=$expires}]"
}

note() {
  checks=$((checks + 1))
  printf '%-8s%s\n' "$@"
}
problem() {
  problems=$((problems + 1))
  note PROBLEM "$1"
}

# dry ARGUMENT...: the code of EC2's answer to a dry run
dry() {
  local said
  said=$(ec2 "$@" --dry-run 2>&1) || true
  local code
  code=$(sed -n 's/.*An error occurred (\([A-Za-z.]*\)).*/\1/p' <<<"$said" | head -n 1)
  echo "${code:-no answer: $(tr '\n' ' ' <<<"$said" | cut -c -200)}"
}

# may WHAT ARGUMENT...
may() {
  local what=$1 code
  shift
  code=$(dry "$@")
  if [ "$code" = DryRunOperation ]; then note ok "may $what"; else problem "may not $what, and has to: $code"; fi
}

# may_not WHAT ARGUMENT...
may_not() {
  local what=$1 code
  shift
  code=$(dry "$@")
  case $code in
  UnauthorizedOperation) note ok "may not $what" ;;
  DryRunOperation) problem "may $what, and must not" ;;
  *) problem "whether it may $what is not known: $code" ;;
  esac
}

# really WHAT ARGUMENT...: does it, and keeps what EC2 says in $answer; without it there is no going on
answer=
really() {
  local what=$1
  shift
  if answer=$(ec2 "$@" 2>&1); then
    note ok "$what"
  else
    problem "$what: $(tr '\n' ' ' <<<"$answer")"
    exit 1
  fi
}

# wait_for STATE ARGUMENT...: until a query says so
wait_for() {
  local wanted=$1 state=
  shift
  SECONDS=0
  while [ "$SECONDS" -lt "$patience_seconds" ]; do
    # Not found yet, or no longer, or throttled: asked again.
    state=$(ec2 "$@" 2>/dev/null) || state=
    [ "$state" != "$wanted" ] || return 0
    sleep "$poll_seconds"
  done
  problem "waited for $patience_seconds seconds, and it is '$state' and not '$wanted': $*"
  return 1
}
volume_is() { wait_for "$2" describe-volumes --volume-ids "$1" --query 'Volumes[0].State'; }
attachment_is() { wait_for "$2" describe-volumes --volume-ids "$1" --query 'Volumes[0].Attachments[0].State'; }
snapshot_is() { wait_for "$2" describe-snapshots --snapshot-ids "$1" --query 'Snapshots[0].State'; }

# What was made, by the answers; what an answer got lost of is found by its tags.
volumes=''
snapshots=''
# marked ACTION STATES QUERY
marked() {
  ec2 "$1" --filters "Name=tag:snapstream:run,Values=$run" "Name=tag:snapstream:host,Values=$self" "Name=status,Values=$2" \
    --query "$3" 2>/dev/null | tr '\t' '\n' | grep -v '^None$' || true
}
all_volumes() { { tr ' ' '\n' <<<"$volumes" && marked describe-volumes creating,available,in-use,error 'Volumes[].VolumeId'; } | sort -u; }
all_snapshots() { { tr ' ' '\n' <<<"$snapshots" && marked describe-snapshots pending,completed,error 'Snapshots[].SnapshotId'; } | sort -u; }

# shellcheck disable=SC2329 # The trap does.
clean_up() {
  local status=$? id left=0
  trap - EXIT
  trap '' INT TERM HUP
  for id in $(all_volumes); do
    ec2 detach-volume --volume-id "$id" --instance-id "$instance" >/dev/null 2>&1 || true
    volume_is "$id" available || true
    ec2 delete-volume --volume-id "$id" >/dev/null 2>&1 || left=1
  done
  for id in $(all_snapshots); do
    ec2 delete-snapshot --snapshot-id "$id" >/dev/null 2>&1 || left=1
  done
  if [ "$left" -ne 0 ]; then
    echo "PROBLEM not all is removed: look for volumes and snapshots with the tag snapstream:run=$run" >&2
    [ "$status" -ne 0 ] || status=1
  fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "As $self, with the tag snapstream:run=$run:"

really 'sees itself' describe-instances --instance-ids "$instance" \
  --query 'Reservations[0].Instances[0].[RootDeviceName,InstanceType]'
read -r root_device type <<<"$answer"
really 'sees its disks' describe-volumes --filters "Name=attachment.instance-id,Values=$instance" \
  --query 'Volumes[].[VolumeId,Attachments[0].Device]'
disks=$answer
root=$(awk -v device="$root_device" '$2 == device { print $1 }' <<<"$disks")
really 'sees how many volumes it can have' describe-instance-types --instance-types "$type" --query 'InstanceTypes[0].InstanceType'
really 'sees snapshots' describe-snapshots --owner-ids self --filters "Name=tag:snapstream:host,Values=$self" --query 'Snapshots[].SnapshotId'

itself="InstanceId=$instance"
may 'take snapshots of its own disks' create-snapshots --instance-specification "$itself" --tag-specifications "$(marks snapshot "$self")"
may_not 'mark its snapshots as those of another host' create-snapshots --instance-specification "$itself" \
  --tag-specifications "$(marks snapshot "$nobody")"
may_not 'take snapshots without marks' create-snapshots --instance-specification "$itself"
may_not 'take a snapshot of one volume' create-snapshot --volume-id "$root" --tag-specifications "$(marks snapshot "$self")"

empty=(create-volume --availability-zone "$zone" --size 1)
may_not 'mark its volume as that of another host' "${empty[@]}" --volume-type gp3 --tag-specifications "$(marks volume "$nobody")"
may_not 'make a volume without marks' "${empty[@]}" --volume-type gp3
may_not 'make a volume of an expensive type' "${empty[@]}" --volume-type io2 --iops 100 --tag-specifications "$(marks volume "$self")"

may_not 'detach its own root' detach-volume --volume-id "$root" --instance-id "$instance"
may_not 'delete its own root' delete-volume --volume-id "$root"
may_not 'mark its own root' create-tags --resources "$root" --tags "Key=snapstream:host,Value=$self"
may_not 'copy its own root, which nobody has marked as a source' copy-volumes --source-volume-id "$root" --volume-type gp3 \
  --tag-specifications "$(marks volume "$self")"
may_not 'have its own root deleted with it' modify-instance-attribute --instance-id "$instance" --attribute blockDeviceMapping \
  --block-device-mappings "[{\"DeviceName\":\"$root_device\",\"Ebs\":{\"DeleteOnTermination\":true}}]"
may_not 'change another attribute of itself' modify-instance-attribute --instance-id "$instance" --no-source-dest-check
may_not 'make an image of itself' create-image --instance-id "$instance" --name "$run"

# free_device: a name that no disk has
free_device() {
  local letter
  for letter in p o n m l k j i h g f; do
    grep -q "/dev/sd$letter\$" <<<"$disks" || { echo "/dev/sd$letter" && return; }
  done
  fail 'no device name from /dev/sdf to /dev/sdp is free' 'Run this on an instance with fewer volumes.'
}

# attach VOLUME
attach() {
  local device
  device=$(free_device)
  really "attaches $1 to itself" attach-volume --volume-id "$1" --instance-id "$instance" --device "$device"
  disks+=$'\n'"$1 $device"
  attachment_is "$1" attached
  code=$(dry modify-instance-attribute --instance-id "$instance" --attribute blockDeviceMapping \
    --block-device-mappings "[{\"DeviceName\":\"$device\",\"Ebs\":{\"DeleteOnTermination\":true}}]")
  if [ "$code" = DryRunOperation ]; then
    note ok "may have $1 deleted with it"
  else
    # Backups go on without.
    problem "may not have $1 deleted with it, so that it stays where the instance is terminated during a backup: $code"
  fi
}

really 'makes a volume of 1 GiB' "${empty[@]}" --volume-type gp3 --tag-specifications "$(marks volume "$self")" --query VolumeId
first=$answer
volumes=$first
volume_is "$first" available
may_not 'tag what it has made' create-tags --resources "$first" --tags Key=Name,Value=mine
may_not 'take tags away' delete-tags --resources "$first" --tags Key=snapstream:host
attach "$first"

others=$(awk -v root="$root" -v own="$first" '$1 != root && $1 != own { printf "%s\"%s\"", separator, $1; separator = "," }' <<<"$disks")
really 'takes a snapshot of that volume alone' create-snapshots --tag-specifications "$(marks snapshot "$self")" \
  --instance-specification "{\"InstanceId\":\"$instance\",\"ExcludeBootVolume\":true,\"ExcludeDataVolumeIds\":[$others]}" \
  --query 'Snapshots[].[SnapshotId,VolumeId]'
read -r snapshot of <<<"$answer"
snapshots=$snapshot
[ "$of $(wc -l <<<"$answer")" = "$first 1" ] || problem "there are snapshots of other volumes: $answer"
snapshot_is "$snapshot" completed
may_not 'share its snapshot' modify-snapshot-attribute --snapshot-id "$snapshot" --attribute createVolumePermission \
  --operation-type add --user-ids "$account"
may_not 'copy its snapshot' copy-snapshot --source-region "$region" --source-snapshot-id "$snapshot"
may_not 'mark a volume of its snapshot as that of another host' create-volume --availability-zone "$zone" --snapshot-id "$snapshot" \
  --volume-type gp3 --tag-specifications "$(marks volume "$nobody")"

really 'makes a volume of the snapshot' create-volume --availability-zone "$zone" --snapshot-id "$snapshot" --volume-type gp3 \
  --tag-specifications "$(marks volume "$self")" --query VolumeId
second=$answer
volumes+=" $second"
volume_is "$second" available
attach "$second"

if [ -n "$other_instance" ]; then
  may_not "take snapshots of $other_instance" create-snapshots --instance-specification "InstanceId=$other_instance" \
    --tag-specifications "$(marks snapshot "$self")"
  may_not "attach its volume to $other_instance" attach-volume --volume-id "$first" --instance-id "$other_instance" --device /dev/sdp
fi
if [ -n "$other_volume" ]; then
  may_not "attach $other_volume" attach-volume --volume-id "$other_volume" --instance-id "$instance" --device "$(free_device)"
  may_not "detach $other_volume" detach-volume --volume-id "$other_volume"
  may_not "delete $other_volume" delete-volume --volume-id "$other_volume"
  may_not "copy $other_volume" copy-volumes --source-volume-id "$other_volume" --volume-type gp3 \
    --tag-specifications "$(marks volume "$self")"
  may_not "mark $other_volume" create-tags --resources "$other_volume" --tags "Key=snapstream:host,Value=$self"
fi
if [ -n "$other_snapshot" ]; then
  may_not "make a volume of $other_snapshot" create-volume --availability-zone "$zone" --snapshot-id "$other_snapshot" \
    --volume-type gp3 --tag-specifications "$(marks volume "$self")"
  may_not "delete $other_snapshot" delete-snapshot --snapshot-id "$other_snapshot"
fi

for volume in "$first" "$second"; do
  really "detaches $volume" detach-volume --volume-id "$volume" --instance-id "$instance"
  volume_is "$volume" available
  really "deletes $volume" delete-volume --volume-id "$volume"
done
volumes=''
really "deletes $snapshot" delete-snapshot --snapshot-id "$snapshot"
snapshots=''

echo "$((checks - problems)) of $checks answers are as expected"
[ -n "$other_instance$other_volume$other_snapshot" ] || echo 'Nothing of another host was asked about: give --other-instance, --other-volume and --other-snapshot.'
[ "$problems" -eq 0 ]
