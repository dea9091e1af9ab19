#!/bin/sh
# seal.sh ROOT: turn the finished root folder into the file system image $IMAGE.
set -eu
rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/*.bin
truncate --size 3G "$IMAGE"
# A bind mount shows the folder without the /proc, /sys and /dev that are mounted over it.
PATH=$PATH:/usr/sbin:/sbin unshare --mount sh -euc '
    mount --bind "$1" "$1/mnt"
    mkfs.ext4 -q -F -L root -d "$1/mnt" "$2"
' seal "$1" "$IMAGE"
