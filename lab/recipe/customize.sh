#!/bin/sh
# customize.sh ROOT: the last steps inside the node's root folder, run by mmdebstrap.
set -eu
root=$1
echo root:root | chroot "$root" chpasswd
chroot "$root" systemctl --quiet enable systemd-networkd ssh host.mount lab-ready libvirtd-tcp.socket
# VMs move between the nodes of a cluster over a wire that nobody else is on.
printf 'auth_tcp = "none"\n' >> "$root/etc/libvirt/libvirtd.conf"
chroot "$root" systemctl --quiet disable libvirt-guests apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer fstrim.timer e2scrub_all.timer e2scrub_reap
# Emulated CPUs are slow: what no test looks at does not run.
chroot "$root" systemctl --quiet mask systemd-networkd-wait-online systemd-binfmt \
    proc-sys-fs-binfmt_misc.automount systemd-logind systemd-pstore systemd-random-seed \
    systemd-update-utmp systemd-update-utmp-runlevel getty@tty1 serial-getty@ttyS0 \
    sys-kernel-debug.mount sys-kernel-tracing.mount dev-mqueue.mount dev-hugepages.mount \
    modprobe@drm modprobe@dm_mod modprobe@loop modprobe@efi_pstore modprobe@fuse
# A test starts it where it needs it.
chroot "$root" systemctl --quiet mask etcd NetworkManager NetworkManager-dispatcher NetworkManager-wait-online \
    apparmor nftables
# No session for each command over ssh.
printf 'UsePAM no\nPermitRootLogin yes\nUseDNS no\n' > "$root/etc/ssh/sshd_config.d/lab.conf"
# libvirt's default network would start a bridge and dnsmasq in each node.
rm -f "$root/etc/libvirt/qemu/networks/autostart/default.xml"
: > "$root/etc/machine-id"
# Nothing is newer than these, so no boot spends time on ldconfig and the like.
touch "$root/etc/.updated" "$root/var/.updated"
