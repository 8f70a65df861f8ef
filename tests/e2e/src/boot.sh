#!/bin/sh
# Boots systemd on a throw-away copy of this machine, has it run a script, and ends.
#   boot.sh FOLDER BINARY    FOLDER has `script`; what that writes is in FOLDER/out
# Runs in namespaces of its own (mount, uts, ipc, cgroup, net). Exit code 77: not possible here.
set -e
folder=$1
binary=$2
copy=$folder/copy
{
    mkdir -p "$copy"
    mount -t tmpfs -o size=2g,mode=755 tmpfs "$copy"
    mkdir "$copy/upper" "$copy/work" "$copy/root"
    root=$copy/root
    mount -t overlay overlay -o "lowerdir=/,upperdir=$copy/upper,workdir=$copy/work" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    for where in run dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$where"; done
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    for device in null zero full random urandom tty; do
        : > "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
    ip link set lo up
} || exit 77
ln -s /proc/self/fd "$root/dev/fd"
# Not in /tmp, which systemd clears.
mkdir "$root/trial" "$root/trial/folder"
mount --bind "$folder" "$root/trial/folder"
: > "$root/trial/decnet"
mount --bind -o ro "$binary" "$root/trial/decnet"
# Nothing of this machine's but what the script starts.
rm -rf "$root"/etc/systemd/system/*.wants
printf '[Unit]\nDescription=nothing\n' > "$root/etc/systemd/system/multi-user.target"
cat > "$root/etc/systemd/system/trial.service" <<'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStartPre=/bin/systemctl start systemd-journald.service
ExecStart=/bin/sh /trial/folder/script
StandardOutput=file:/trial/folder/out
StandardError=inherit
ExecStopPost=/bin/systemctl exit
TimeoutStartSec=100
UNIT
cd "$root"
exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin unshare --fork --kill-child --pid \
    --mount-proc="$root/proc" \
    chroot . /lib/systemd/systemd --system --unit=trial.service --log-target=console
