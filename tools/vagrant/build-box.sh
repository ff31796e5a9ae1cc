#!/bin/sh
# Builds the Vagrant box `tortie/bookworm` for libvirt out of Debian's packages, for machines that can download no box:
#   tools/vagrant/build-box.sh FOLDER && vagrant box add --name tortie/bookworm FOLDER/tortie.box
# Needs root and debootstrap e2fsprogs dosfstools mtools syslinux fdisk qemu-utils. Nothing is mounted outside of namespaces of its
# own: file systems are made from folders. Node comes from this machine, for Debian 12's own is too old. What the project's setup
# installs is in the box already: a guest without KVM would take many minutes for it.
set -eu

folder=${1:?usage: build-box.sh FOLDER}
mirror=${MIRROR:-http://deb.debian.org/debian}
suite=bookworm
root_size=${ROOT_SIZE:-4G}
boot_megabytes=128
packages=linux-image-amd64,openssh-server,sudo,rsync,ifupdown,isc-dhcp-client,iproute2,iperf3,dbus,systemd-sysv,ca-certificates,initramfs-tools

for tool in debootstrap mke2fs mkfs.vfat mcopy syslinux sfdisk qemu-img node; do
	command -v "$tool" > /dev/null || { echo "build-box: no $tool: apt-get install debootstrap e2fsprogs dosfstools mtools syslinux fdisk qemu-utils" >&2; exit 1; }
done
mkdir -p "$folder"
root=$folder/root
rm -rf "$root"

# Runs a command in the box's folder; what it needs mounted goes with it.
inside() {
	unshare --mount --fork sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$root" "$@"
}

debootstrap --variant=minbase --include="$packages" "$suite" "$root" "$mirror"

# What Vagrant expects: its user, its well-known key (replaced on first contact), sudo without questions.
inside useradd -m -s /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/vagrant"
chmod 440 "$root/etc/sudoers.d/vagrant"
install -d -m 700 "$root/home/vagrant/.ssh"
key=$(find /usr/share /opt/vagrant -path '*vagrant*/keys/vagrant.pub' 2> /dev/null | head -n 1)
install -m 600 "${key:?no insecure key of Vagrant on this machine: apt-get install vagrant}" "$root/home/vagrant/.ssh/authorized_keys"
inside chown -R vagrant: /home/vagrant/.ssh

echo localhost > "$root/etc/hostname"
printf '127.0.0.1 localhost\n' > "$root/etc/hosts"
printf 'UseDNS no\n' > "$root/etc/ssh/sshd_config.d/vagrant.conf"
printf 'LABEL=root / ext4 errors=remount-ro 0 1\n' > "$root/etc/fstab"
# Names as the first device has them with net.ifnames=0; Vagrant writes the others itself.
printf 'source-directory /etc/network/interfaces.d\nauto lo\niface lo inet loopback\nauto eth0\niface eth0 inet dhcp\n' > "$root/etc/network/interfaces"
# Whoever looks into this machine's connections looks into those of its guests: what it trusts, they trust.
find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \; 2> /dev/null || true
inside update-ca-certificates > /dev/null
echo NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt >> "$root/etc/environment"

install -D "$(node -p process.execPath)" "$root/usr/local/bin/node"
npm=$(dirname "$(readlink -f "$(command -v npm)")")/..
mkdir -p "$root/usr/local/lib/node_modules"
cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"

# Modules of npm stay behind in its cache alone.
project=$(dirname "$0")/../..
mkdir -p "$root/root/setup/tools"
cp "$project/package.json" "$project/package-lock.json" "$root/root/setup/"
cp "$project/tools/setup.mjs" "$root/root/setup/tools/"
inside env DEBIAN_FRONTEND=noninteractive NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt node /root/setup/tools/setup.mjs
rm -rf "$root/root/setup" "$root"/var/cache/apt/archives/*.deb "$root/etc/resolv.conf"

# A first partition that syslinux starts from, a second that is the system.
boot=$folder/boot.img
rm -f "$boot"
truncate -s ${boot_megabytes}M "$boot"
mkfs.vfat "$boot" > /dev/null
printf 'default linux\nprompt 0\ntimeout 1\nlabel linux\n kernel vmlinuz\n initrd initrd.img\n append root=LABEL=root rw net.ifnames=0 biosdevname=0 console=ttyS0 quiet\n' > "$folder/syslinux.cfg"
mcopy -i "$boot" "$folder/syslinux.cfg" ::syslinux.cfg
mcopy -i "$boot" "$root"/boot/vmlinuz-* ::vmlinuz
mcopy -i "$boot" "$root"/boot/initrd.img-* ::initrd.img
syslinux --install "$boot"
system=$folder/system.img
rm -f "$system"
mke2fs -q -t ext4 -L root -d "$root" "$system" "$root_size"

disk=$folder/disk.img
rm -f "$disk"
truncate -s "$(($(stat -c %s "$system") + (boot_megabytes + 2) * 1048576))" "$disk"
printf 'label: dos\nstart=2048, size=%d, type=c, bootable\nstart=%d, type=83\n' $((boot_megabytes * 2048)) $((2048 + boot_megabytes * 2048)) | sfdisk -q "$disk"
dd if="$(find /usr/lib/syslinux -name mbr.bin | head -n 1)" of="$disk" conv=notrunc bs=440 count=1 status=none
dd if="$boot" of="$disk" conv=notrunc,sparse bs=1M seek=1 status=none
dd if="$system" of="$disk" conv=notrunc,sparse bs=1M seek=$((1 + boot_megabytes)) status=none

qemu-img convert -c -f raw -O qcow2 "$disk" "$folder/box.img"
size=$(($(stat -c %s "$disk") / 1073741824 + 1))
printf '{ "provider": "libvirt", "format": "qcow2", "virtual_size": %d }\n' "$size" > "$folder/metadata.json"
tar -C "$folder" -cf "$folder/tortie.box" metadata.json box.img
rm -rf "$root" "$boot" "$system" "$disk" "$folder/box.img" "$folder/syslinux.cfg" "$folder/metadata.json"
echo "build-box: $folder/tortie.box"
