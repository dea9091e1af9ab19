#!/bin/sh
# customize.sh ROOT: the last steps inside the node's root folder, run by mmdebstrap.
set -eu
root=$1
chroot "$root" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends \
    ${RELEASE:+--target-release "$RELEASE"} $LATE_PACKAGES
echo root:root | chroot "$root" chpasswd
chroot "$root" systemctl --quiet enable systemd-networkd ssh host.mount lab-ready
for unit in libvirt-guests apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer \
    e2scrub_all.timer e2scrub_reap systemd-timesyncd; do
    chroot "$root" systemctl --quiet disable "$unit" 2> /dev/null || true
done
chroot "$root" systemctl --quiet mask systemd-networkd-wait-online.service systemd-binfmt.service \
    proc-sys-fs-binfmt_misc.automount
# libvirt's default network would start a bridge and dnsmasq in each node.
rm -f "$root/etc/libvirt/qemu/networks/autostart/default.xml"
: > "$root/etc/machine-id"
# Nothing is newer than these, so no boot spends time on ldconfig and the like.
touch "$root/etc/.updated" "$root/var/.updated"
