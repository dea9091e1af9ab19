#!/bin/sh
# The only program of a nested VM. Once a second it sends a ping, and writes one line to /dev/hvc0:
#   vm: nic=NAME driver=DRIVER address=IP vf=NAME lost=N late=N sent=N judged=N ping=ok|lost
# which is what the tests read. nic=none when it has no NIC; vf is the VF, alone or below the failover
# master that nic is then. Each ping is waited for by itself: on a busy machine an answer may be late
# (more than a second), and is not lost then. Of the pings sent, the first so many are judged; lost and
# late count those since the first that was answered. ping=ok when one was answered since the last line.
# Kernel arguments: ip=ADDRESS/PREFIX instead of DHCP, ping=TARGET (default 10.0.2.2), ip6=ADDRESS/PREFIX as
# well, novf (the guest has no driver for VFs), nostandby (its virtio_net does not offer failover).
#
# On an emulated processor a process is dear, so the loop starts two, sleep and ping; and each character
# on a serial port is, so the line goes to a virtio console.
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
address='' address6='' target=10.0.2.2 vf_driver=igbvf standby=yes
for word in $(cat /proc/cmdline); do
    case $word in
        ip=*) address=${word#ip=} ;;
        ip6=*) address6=${word#ip6=} ;;
        ping=*) target=${word#ping=} ;;
        novf) vf_driver='' ;;
        nostandby) standby=no ;;
    esac
done
# A driver that is not there is not loaded when its device appears either.
[ -n "$vf_driver" ] || find /lib/modules/*/kernel -name 'igbvf.ko' -delete
modprobe -a af_packet ipv6 virtio_pci net_failover 2> /dev/null
case $standby in
    yes) modprobe virtio_net ;;
    no) insmod /lib/virtio_net_without_standby.ko ;;
esac
modprobe -a $vf_driver virtio_console 2> /dev/null
agent.sh &
until [ -c /dev/hvc0 ] && true > /dev/hvc0; do sleep 1; done 2> /dev/null
exec > /dev/hvc0

# Whether one of these files is there.
any() { [ -e "$1" ]; }

# The driver of netdev $1; that of its vNIC for a failover master.
find_driver() {
    driver=none
    if any /sys/bus/pci/drivers/igbvf/*/net/"$1"; then
        driver=igbvf
    elif any /sys/bus/virtio/drivers/virtio_net/*/net/"$1"; then
        driver=virtio_net
    fi
}

# The netdev to use: the master of a failover pair, else a VF, else any other NIC.
find_nic() {
    nic=none vf=none use=none
    for path in /sys/class/net/*; do
        name=${path##*/}
        [ "$name" != lo ] || continue
        [ -e "$path/device" ] || any "$path"/lower_* || continue
        flags=1
        read -r flags 2> /dev/null < "$path/flags"
        [ $((flags & 1)) = 1 ] || ip link set "$name" up
        find_driver "$name"
        [ "$driver" != igbvf ] || vf=$name
        [ ! -e "$path/master" ] || continue
        if [ "$nic" = none ] || [ "$driver" = igbvf ]; then
            nic=$name use=$driver
        fi
    done
    driver=$use
}

# Gives the NIC its address, and finds out which it has.
configure() {
    if [ "$nic" = none ]; then
        configured=none shown=none
        return
    fi
    if [ "$configured" != "$nic" ]; then
        # With two NICs the other one was used while this one was away.
        [ "$configured" = none ] || ip addr flush dev "$configured" 2> /dev/null
        if [ -n "$address" ]; then
            ip addr add "$address" dev "$nic" && configured=$nic
        else
            udhcpc -n -q -t 3 -T 1 -i "$nic" -s /bin/udhcpc.sh > /dev/null 2>&1 && configured=$nic
        fi
        if [ -n "$address6" ]; then
            echo 0 > "/proc/sys/net/ipv6/conf/$nic/accept_dad"
            ip -6 addr add "$address6" dev "$nic"
        fi
    fi
    shown=$(ip -4 addr show dev "$nic" | awk '$1 == "inet" { print $2 }')
}

# What came of ping number $1: its time in milliseconds, "lost", or "" while it is waited for.
look_at() {
    outcome=''
    while read -r line; do
        case $line in
            *' time='*)
                outcome=${line##* time=}
                outcome=${outcome%%[!0-9]*}
                return
                ;;
            *'packet loss'* | 'ping:'*) outcome=lost ;;
        esac
    done < "/pings/$1"
}

# Judges the pings that are done, in their order; notes the newest that was answered.
judge() {
    number=$judged waits=no
    while [ "$number" -lt "$sent" ]; do
        number=$((number + 1))
        look_at "$number"
        case $outcome in
            '' | lost) ;;
            *) newest=$number ;;
        esac
        [ -n "$outcome" ] || waits=yes
        [ "$waits" = no ] || continue
        judged=$number
        case $outcome-$counting in
            lost-no) ;;
            lost-yes) lost=$((lost + 1)) ;;
            *) counting=yes; [ "$outcome" -lt 1000 ] || late=$((late + 1)) ;;
        esac
    done
}

mkdir -p /pings
configured=none counting=no lost=0 late=0 sent=0 judged=0 newest=0 known=''
while true; do
    find_nic
    index=none
    [ "$nic" = none ] || read -r index 2> /dev/null < "/sys/class/net/$nic/ifindex"
    if [ "$known" != "$nic $index $driver $vf" ] || [ "$configured" = none ]; then
        configure
        known="$nic $index $driver $vf"
    fi
    sent=$((sent + 1))
    ping -c 1 -W 10 "$target" > "/pings/$sent" 2>&1 &
    sleep 1
    before=$newest
    judge
    ping=lost
    [ "$newest" = "$before" ] || ping=ok
    echo "vm: nic=$nic driver=$driver address=${shown:-none} vf=$vf lost=$lost late=$late sent=$sent judged=$judged ping=$ping"
done
