#!/bin/sh
# initramfs.sh KERNEL INIT OUT MODULE...: an uncompressed busybox initramfs that runs INIT, with the
# named modules and what they depend on. Files of a further folder are taken from $EXTRA, if set.
set -eu
PATH=$PATH:/usr/sbin:/sbin
kernel=$1 init=$2 out=$3
shift 3
release=$(cat "$kernel/release")
dir=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/bin" "$dir/proc" "$dir/sys" "$dir/dev" "$dir/root" "$dir/usr/lib/modules/$release"
ln -s usr/lib "$dir/lib"
cp "$(command -v busybox)" "$dir/bin/busybox"
for applet in $("$dir/bin/busybox" --list); do
    [ -e "$dir/bin/$applet" ] || ln -s busybox "$dir/bin/$applet"
done
for module in "$@"; do
    modprobe -d "$kernel" -S "$release" --show-depends "$module" >> "$dir/needed"
done
awk '$1 == "insmod" && !seen[$2]++ { print $2 }' "$dir/needed" | while read -r file; do
    inside=usr/lib/modules/${file#*/lib/modules/}
    mkdir -p "$dir/$(dirname "$inside")"
    cp "$file" "$dir/$inside"
done
rm "$dir/needed"
for index in modules.builtin modules.builtin.modinfo modules.order; do
    cp "$kernel/usr/lib/modules/$release/$index" "$dir/usr/lib/modules/$release/"
done
depmod -b "$dir" "$release"
install -m 755 "$init" "$dir/init"
# A virtio_net that does not offer failover: its tables of features name VIRTIO_NET_F_SPEED_DUPLEX (63) twice
# in the place of VIRTIO_NET_F_STANDBY (62). The kernel takes it without a signature, not with a wrong one.
virtio_net=$(find "$dir/usr/lib/modules" -name virtio_net.ko)
if [ -n "${EXTRA:-}" ] && [ -n "$virtio_net" ]; then
    without=$dir/usr/lib/virtio_net_without_standby.ko
    standby='s/\x3f\0\0\0\x3e\0\0\0/\x3f\0\0\0\x3f\0\0\0/g' signature='s/~Module signature appended~\n\z//'
    perl -0777 -pe "$signature" "$virtio_net" > "$dir/unsigned"
    perl -0777 -pe "$standby" "$dir/unsigned" > "$without"
    ! cmp -s "$dir/unsigned" "$without" || { echo "virtio_net has no table of features as expected" >&2; exit 1; }
    rm "$dir/unsigned"
fi
[ -z "${EXTRA:-}" ] || cp -R "$EXTRA/." "$dir/"
(cd "$dir" && find . | cpio --create --format=newc --quiet --owner=+0:+0) > "$out"
