// The scripts that make a machine out of a kernel: constant text, whatever varies they read from files. For busybox.

/** Process 1 until the host's files are there. */
export const START_SCRIPT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
fail() { echo "guest: $1" > /dev/console; poweroff -f; }
mkdir -p /dev /proc /sys /host /over /new
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
while read -r name; do insmod "/modules/$name" || fail "module $name"; done < /tortie/order
mount -t virtiofs -o ro host /host || fail "the host's files cannot be mounted"
disk="$(cat /tortie/disk)"
if [ -n "$disk" ]; then
  mount -t ext4 "$disk" /over || fail "no file system on the disk"
else
  mount -t tmpfs over /over
fi
mkdir -p /over/up /over/work
mount -t overlay -o lowerdir=/host,upperdir=/over/up,workdir=/over/work over /new || fail "no overlay"
mount -t devtmpfs dev /new/dev
mkdir -p /new/dev/pts /new/dev/shm
mount -t devpts pts /new/dev/pts
mount -t tmpfs shm /new/dev/shm
mount -t proc proc /new/proc
mount -t sysfs sys /new/sys
mount -t tmpfs run /new/run
mount -t bpf bpf /new/sys/fs/bpf
mount -t cgroup2 cgroup /new/sys/fs/cgroup
mount -t debugfs debug /new/sys/kernel/debug
mount -t tracefs trace /new/sys/kernel/tracing
mkdir -p /new/usr/lib/modules
mount -o bind "/new$(cat /tortie/modules)" /new/usr/lib/modules || fail "no modules"
cp -r /tortie /new/run/tortie-guest
cp /bin/busybox /new/run/tortie-guest/busybox
exec switch_root /new /run/tortie-guest/busybox sh /run/tortie-guest/stage-two
`;

/** Has the task done, with its streams, and says how it ended. */
const TASK = `
port() {
  for entry in /sys/class/virtio-ports/*; do
    read -r name < $entry/name
    if [ "$name" = "$1" ]; then echo /dev/\${entry##*/}; return; fi
  done
}
TT_IN="$(port tortie.in)" TT_OUT="$(port tortie.out)" TT_ERR="$(port tortie.err)" \
  $box setsid $box xargs -0 -x -n 10000 -s 1000000 $box sh /run/tortie-guest/run < /run/tortie-guest/words 2> /dev/console
$box cat /run/tortie-guest/code > "$(port tortie.exit)"
$box sync
`;

/** Process 1 from then on, or what makes room for systemd: runs the task, ends the machine. */
export const STAGE_TWO_SCRIPT = `
box=/run/tortie-guest/busybox
$box ip link set lo up
$box hostname guest
index=$($box cat /run/tortie-guest/index)
if [ -n "$index" ]; then
  link=$($box ls -d /sys/class/net/e* | $box head -n 1)
  link=\${link##*/}
  echo 0 > /proc/sys/net/ipv6/conf/$link/accept_dad
  $box ip link set $link up
  $box ip addr add 192.168.77.$((index + 1))/24 dev $link
  $box ip -6 addr add fd77::$((index + 1))/64 dev $link
fi
init="$($box cat /run/tortie-guest/init)"
if [ -n "$init" ]; then
  units=/run/systemd/system
  $box mkdir -p $units/multi-user.target.wants
  $box cp /run/tortie-guest/task.service $units/
  $box ln -s ../task.service $units/multi-user.target.wants/
  exec "$init"
fi
${TASK}
$box poweroff -f
`;

/** The task where systemd is process 1. */
export const TASK_UNIT = `
[Unit]
Description=The task of this guest
[Service]
ExecStart=/run/tortie-guest/busybox sh /run/tortie-guest/attend
`;

/** QEMU ends where the machine would boot again. */
export const ATTEND_SCRIPT = `
box=/run/tortie-guest/busybox
${TASK}
systemctl --no-block reboot
`;

/** The task itself, its words as arguments, with its output going to the host. */
export const RUN_SCRIPT = `
cd "$(/run/tortie-guest/busybox cat /run/tortie-guest/cwd)" || exit 1
"$@" < "\${TT_IN:-/dev/null}" > "$TT_OUT" 2> "$TT_ERR"
echo "$?" > /run/tortie-guest/code
`;
