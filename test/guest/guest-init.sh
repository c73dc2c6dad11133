#!/bin/sh
# Process 1 of a guest. Its root is the host's root (hostfs, read-only); this puts a tmpfs over it, so that the guest
# sees everything that is installed on the host and can write anywhere without the host noticing, and then runs the
# command in the guest's directory until that ends.
#
# Kernel command line: guest=DIRECTORY, which holds
#   shares   directories to share read-write with the host, one a line
#   command  the program to run and its arguments, one a line
#   systemd  where this is there, the command is a service, and systemd becomes process 1
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb

halt() {
  sync
  echo o >/proc/sysrq-trigger
  sleep 5
}
die() {
  echo "guest-init: $*" >/dev/console
  halt
}

mount -n -t proc proc /proc
read -r cmdline </proc/cmdline
for word in $cmdline; do
  case $word in guest=*) guest=${word#guest=} ;; esac
done

# The overlay. The kernel's modules are not on the module path yet, hence insmod.
modules=/usr/lib/uml/modules/$(uname -r)
insmod "$modules/kernel/fs/overlayfs/overlay.ko" || die 'no overlay module'
mount -n -t tmpfs -o size=90% tmpfs /mnt || die 'no tmpfs'
mkdir /mnt/upper /mnt/work /mnt/root
mount -n -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root || die 'no overlay'

cd /mnt/root || die 'no new root'
mount -n --move /proc proc
mount -n -t sysfs sys sys
mount -n --move /dev dev
mkdir -p dev/pts dev/shm lib/modules
mount -n -t devpts devpts dev/pts
mount -n -t tmpfs tmpfs dev/shm
mount -n -t tmpfs -o mode=755 tmpfs run
chmod 1777 tmp dev/shm
mkdir -p run/lock run/lvm
mount -n -t hostfs -o /usr/lib/uml/modules none lib/modules
while read -r share; do
  mkdir -p ".$share"
  mount -n -t hostfs -o "$share" none ".$share" || die "cannot share $share"
done <".$guest/shares"
pivot_root . mnt || die 'cannot change root'
cd /
umount -n -l /mnt

ln -sf /proc/self/fd /dev/fd
ln -sf /proc/self/fd/0 /dev/stdin
ln -sf /proc/self/fd/1 /dev/stdout
ln -sf /proc/self/fd/2 /dev/stderr
ln -sf /proc/mounts /etc/mtab
modprobe -a dm-snapshot dm-thin-pool dm-raid dm-crypt || die 'no device-mapper modules'
# There is no udev in here: LVM makes its device nodes itself.
cat >/etc/lvm/lvmlocal.conf <<'CONFIG'
activation { udev_sync=0 udev_rules=0 verify_udev_operations=0 monitoring=0 }
devices { obtain_device_list_from_udev=0 external_device_info_source="none" }
CONFIG

hostname guest
ip link set lo up
ip addr add 10.0.2.15/24 dev vec0
ip link set vec0 mtu 32000 up
ip route add default via 10.0.2.2
# No automatic activation without udev either: a second boot finds its volumes as a host would.
vgchange --quiet --quiet --activate y >/dev/null 2>&1

# A systemd that starts nothing but what systemd-run needs, D-Bus, and the command.
become_systemd() {
  mkdir -p /sys/fs/cgroup
  mount -n -t cgroup2 cgroup2 /sys/fs/cgroup || die 'no control groups'
  rm -rf /etc/systemd/system/* /lib/systemd/system/*.wants
  units=/run/systemd/system
  mkdir -p "$units"
  cat >"$units/guest.target" <<'UNIT'
[Unit]
DefaultDependencies=no
Requires=dbus.socket guest.service
UNIT
  cat >"$units/guest.service" <<UNIT
[Unit]
DefaultDependencies=no
After=dbus.socket
[Service]
ExecStart=$*
StandardOutput=file:/dev/console
StandardError=file:/dev/console
ExecStopPost=/bin/sh -c 'sync; echo o >/proc/sysrq-trigger; sleep 5'
UNIT
  exec /lib/systemd/systemd --system --unit=guest.target --log-level=warning --log-target=console
}

set --
while read -r word; do set -- "$@" "$word"; done <"$guest/command"
[ ! -e "$guest/systemd" ] || become_systemd "$@"
"$@" </dev/null >/dev/console 2>&1
halt
