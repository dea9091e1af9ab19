#!/bin/sh
# A guest agent that knows a few commands of QEMU's, for VMs that have a channel for it.
interfaces() {
    comma=''
    for path in /sys/class/net/*; do
        printf '%s{"name":"%s","hardware-address":"%s"}' "$comma" "${path##*/}" "$(cat "$path/address")"
        comma=,
    done
}

# Runs the script that is the command's argument, in base64, and answers its status and output likewise.
run() {
    echo "$1" | sed -n 's/.*"script": *"\([^"]*\)".*/\1/p' | base64 -d > /root/script
    status=0
    sh /root/script > /root/output 2>&1 < /dev/null || status=$?
    printf '{"return":{"status":%d,"output":"%s"}}\n' "$status" "$(base64 < /root/output | tr -d '\n')"
}

answer() {
    case $1 in
        *'"guest-sync-delimited"'*) printf '\377{"return":%s}\n' "$2" ;;
        *'"guest-sync"'*) printf '{"return":%s}\n' "$2" ;;
        *'"lab-run"'*) run "$1" ;;
        *'"guest-ping"'*) printf '{"return":{}}\n' ;;
        *'"guest-get-osinfo"'*) printf '{"return":{"id":"lab","kernel-release":"%s"}}\n' "$(uname -r)" ;;
        *'"guest-network-get-interfaces"'*) printf '{"return":[%s]}\n' "$(interfaces)" ;;
        *) printf '{"error":{"class":"CommandNotFound","desc":"The lab does not know this command"}}\n' ;;
    esac
}

# libvirt takes the agent for gone when it closes the channel, so it stays open.
while sleep 1; do
    for port in /sys/class/virtio-ports/*; do
        [ "$(cat "$port/name" 2> /dev/null)" = org.qemu.guest_agent.0 ] || continue
        exec 3<> "/dev/${port##*/}" || continue
        while true; do
            if read -r line <&3; then
                answer "$line" "$(echo "$line" | sed -n 's/.*"id": *\([0-9]*\).*/\1/p')" >&3
            else
                sleep 1
            fi
        done
    done
done
