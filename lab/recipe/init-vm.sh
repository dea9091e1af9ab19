#!/bin/sh
# The only program of a nested VM. Once a second it sends a ping, and writes one line to the console:
#   vm: nic=NAME driver=DRIVER address=IP vf=NAME lost=N late=N sent=N judged=N ping=ok|lost
# which is what the tests read. nic=none when it has no NIC; vf is the VF, alone or below the failover
# master that nic is then. Each ping is waited for by itself: on a busy machine an answer may be late
# (more than a second), and is not lost then. Of the pings sent, the first so many are judged; lost and
# late count those since the first that was answered. ping=ok when one was answered since the last line.
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

# Sends ping number $1, and leaves its time in milliseconds, or "lost".
send() {
    time=$(ping -c 1 -W 10 "$target" 2> /dev/null | sed -n 's/.* time=\([0-9]*\).*/\1/p')
    [ -z "$time" ] || echo "$1" > /pings/answered
    echo "${time:-lost}" > "/pings/$1.new"
    mv "/pings/$1.new" "/pings/$1"
}

# Judges the pings that are done, in their order.
judge() {
    while [ -e "/pings/$((judged + 1))" ]; do
        judged=$((judged + 1))
        read -r time < "/pings/$judged"
        rm "/pings/$judged"
        case $time-$answered in
            lost-no) ;;
            lost-yes) lost=$((lost + 1)) ;;
            *) answered=yes; [ "$time" -lt 1000 ] || late=$((late + 1)) ;;
        esac
    done
}

mkdir -p /pings
echo 0 > /pings/answered
configured=none answered=no lost=0 late=0 sent=0 judged=0 newest=0
while true; do
    find_nic
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
    else
        configured=none
    fi
    sent=$((sent + 1))
    send "$sent" &
    sleep 1
    judge
    ping=lost
    read -r last < /pings/answered
    [ "${last:-0}" -le "$newest" ] || ping=ok newest=$last
    echo "vm: nic=$nic driver=$driver address=${shown:-none} vf=$vf lost=$lost late=$late sent=$sent judged=$judged ping=$ping"
done
