#!/bin/sh
# The only program of a nested VM. Once a second it writes one line to the console:
#   vm: nic=NAME driver=DRIVER address=IP vf=NAME lost=NUMBER ping=ok|lost
# (nic=none when it has no NIC; vf is the VF, alone or below the failover master that nic is then;
# lost counts the pings lost since the first that was answered), which is what the tests read.
# Kernel arguments: ip=ADDRESS/PREFIX instead of DHCP, ping=TARGET (10.0.2.2 unless told otherwise).
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
address='' target=10.0.2.2
for word in $(cat /proc/cmdline); do
    case $word in
        ip=*) address=${word#ip=} ;;
        ping=*) target=${word#ping=} ;;
    esac
done
modprobe -a af_packet virtio_pci virtio_net net_failover igbvf virtio_console 2> /dev/null
agent.sh &

driver_of() { basename "$(readlink "/sys/class/net/$1/device/driver")" 2> /dev/null; }

# The netdev to use: the master of a failover pair, else a VF, else any other NIC.
find_nic() {
    nic=none vf=none
    for path in /sys/class/net/*; do
        name=${path##*/}
        [ "$name" != lo ] || continue
        [ -e "$path/device" ] || [ -n "$(ls -d "$path"/lower_* 2> /dev/null)" ] || continue
        ip link set "$name" up
        [ "$(driver_of "$name")" != igbvf ] || vf=$name
        [ ! -e "$path/master" ] || continue
        if [ "$nic" = none ] || [ "$(driver_of "$name")" = igbvf ]; then
            nic=$name
        fi
    done
}

configured=none answered=no lost=0
while true; do
    find_nic
    ping=lost
    shown=none
    driver=none
    if [ "$nic" != none ]; then
        [ ! -e "/sys/class/net/$nic/device/driver" ] || driver=$(driver_of "$nic")
        if [ "$configured" != "$nic" ]; then
            if [ -n "$address" ]; then
                ip addr add "$address" dev "$nic" && configured=$nic
            else
                udhcpc -n -q -t 3 -T 1 -i "$nic" -s /bin/udhcpc.sh > /dev/null 2>&1 && configured=$nic
            fi
        fi
        shown=$(ip -4 addr show dev "$nic" | awk '$1 == "inet" { print $2 }')
        ping -c 1 -W 1 "$target" > /dev/null 2>&1 && ping=ok answered=yes
    else
        configured=none
    fi
    [ "$ping$answered" != lostyes ] || lost=$((lost + 1))
    echo "vm: nic=$nic driver=$driver address=${shown:-none} vf=$vf lost=$lost ping=$ping"
    sleep 1
done
