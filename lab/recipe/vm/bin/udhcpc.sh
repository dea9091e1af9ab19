#!/bin/sh
# Called by udhcpc when it has a lease.
if [ "$1" = bound ]; then
    ip addr flush dev "$interface"
    ip addr add "$ip/24" dev "$interface"
fi
