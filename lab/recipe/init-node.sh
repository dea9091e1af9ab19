#!/bin/sh
# The first program of a node: mount the root disk and hand over to systemd.
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
# busybox ignores soft dependencies, so the checksum comes before the file system that asks for it.
modprobe virtio_blk
modprobe crc32c_generic
modprobe crc32c-intel
modprobe ext4
# udev finds them at its first look, instead of loading them after everything else.
modprobe virtio_net
modprobe igb
tries=0
while [ ! -b /dev/vda ] && [ $tries -lt 100 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
mkdir -p /newroot
mount -t ext4 -o rw,noatime /dev/vda /newroot
mount --move /dev /newroot/dev
umount /proc /sys
exec switch_root /newroot /sbin/init
