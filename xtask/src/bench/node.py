"""Runs in a node: times both sides in turns; prints a line `NAME SIDE SECONDS` each time.

A node's Python has only what python3-minimal has.
"""

import os
import sys
import time

ACCELNET, ROUNDS = sys.argv[1], int(sys.argv[2])
PF = "/sys/class/net/pf0/device"
RECORDS = "/run/accelnet/features"
VFS = 7


def put(attribute, value):
    file = os.open(f"{PF}/{attribute}", os.O_WRONLY)
    os.write(file, str(value).encode())
    os.close(file)


def run(*words):
    """One process without a shell, its output thrown away."""
    null = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=null)
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit(f"{' '.join(words)}: status {status}")


def vfs():
    return sum(name.startswith("virtfn") for name in os.listdir(PF))


def off():
    put("sriov_numvfs", 0)
    put("sriov_drivers_autoprobe", 1)
    settle()


def settle():
    """What udev makes of the change is not to fall into the next measurement."""
    run("udevadm", "settle")
    time.sleep(0.5)


def forget():
    """As if this node had just booted."""
    off()
    for name in os.listdir(RECORDS) if os.path.isdir(RECORDS) else []:
        os.unlink(f"{RECORDS}/{name}")


def bare():
    put("sriov_drivers_autoprobe", 0)
    put("sriov_numvfs", VFS)
    while vfs() < VFS:
        time.sleep(0.001)


def enable():
    run(ACCELNET, "adapter", "enable", "pf0")


def node_show():
    run(ACCELNET, "node", "show", "--output", "json")


def ip_and_lspci():
    run("ip", "-j", "link", "show")
    run("lspci", "-vv")


def timed(side):
    begun = time.monotonic()
    side()
    return time.monotonic() - begun


def in_turns(name, ours, theirs, before):
    """The first round does not count; the side that begins changes every round."""
    sides = [("ours", ours), ("theirs", theirs)]
    for number in range(ROUNDS + 1):
        for label, side in sides if number % 2 else reversed(sides):
            before()
            spent = timed(side)
            if vfs() != VFS:
                sys.exit(f"{name}, {label}: {vfs()} VFs")
            if number:
                print(name, label, f"{spent:.6f}", flush=True)


in_turns("enable", enable, bare, off)
in_turns("first", enable, bare, forget)
settle()
in_turns("show", node_show, ip_and_lspci, lambda: None)
off()
