#!/bin/sh
# kernel.sh DEB OUT: unpack a Debian kernel package into OUT (vmlinuz, release, usr/lib/modules), keeping
# the modules that a node can use, uncompressed (xz is slow under emulation).
set -eu
PATH=$PATH:/usr/sbin:/sbin
deb=$1 out=$2
mkdir -p "$out/deb" "$out/usr/lib"
dpkg-deb --extract "$deb" "$out/deb"
mods=$(find "$out/deb" -type d -path '*lib/modules' | head -n 1)
mv "$mods" "$out/usr/lib/modules"
release=$(ls "$out/usr/lib/modules")
printf '%s' "$release" > "$out/release"
mv "$out"/deb/boot/vmlinuz-* "$out/vmlinuz"
rm -rf "$out/deb"
tree=$out/usr/lib/modules/$release
for dir in sound net/wireless net/mac80211 net/bluetooth net/can drivers/gpu drivers/media drivers/infiniband \
    drivers/staging drivers/iio drivers/scsi drivers/usb drivers/net/wireless drivers/net/can drivers/hwmon \
    drivers/input drivers/platform drivers/bluetooth drivers/mtd drivers/ata drivers/md drivers/target \
    drivers/isdn drivers/leds drivers/power drivers/video drivers/accel drivers/mfd drivers/hid \
    drivers/firewire drivers/comedi drivers/rtc drivers/mmc drivers/nvme drivers/spi drivers/parport drivers/watchdog drivers/char/tpm drivers/edac; do
    rm -rf "${tree:?}/kernel/$dir"
done
# udev loads these for the CPU and the board alone, one after the other.
find "$tree/kernel/arch/x86/crypto" -name '*.ko.xz' ! -name 'crc32*' -delete
find "$tree/kernel/drivers" \( -name 'ppdev.ko.xz' -o -name 'lp.ko.xz' -o -name 'i2c-i801.ko.xz' -o -name 'pcspkr.ko.xz' \) -delete
# Of the file systems only the root's and the share's stay.
find "$tree/kernel/fs" -mindepth 1 -maxdepth 1 ! -name ext4 ! -name jbd2 ! -name mbcache.ko.xz ! -name 9p \
    ! -name netfs ! -name fuse ! -name autofs ! -name overlayfs -exec rm -rf {} +
find "$tree" -name '*.ko.xz' -print0 | xargs -0 -r -P "$(nproc)" -n 64 xz --decompress
# depmod and modprobe look below lib/ or usr/lib/, depending on their age.
ln -s usr/lib "$out/lib"
depmod -b "$out" "$release"
# A pruned tree that lost something the nodes load must not become an image.
for module in igb igbvf e1000e vfio-pci kvm_amd kvm_intel 9pnet_virtio 9p virtio_net virtio_blk net_failover bridge \
    8021q tun vhost_net dummy; do
    modprobe -d "$out" -S "$release" --show-depends "$module" > /dev/null
done
