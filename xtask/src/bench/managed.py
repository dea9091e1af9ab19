"""Runs in a node whose agent manages intent lan, with VMs web01 and byhand running on its switch:
times both sides in turns, each with its own VM, then looks at the agent while nothing happens.
Prints lines `NAME SIDE SECONDS`, and `idle NAME VALUE`.

Two VMs, because QEMU takes a VF for a vNIC only under the name that the first one had.

A node's Python has only what python3-minimal has.
"""

import os
import sys
import time

ROUNDS, WINDOW, AGENT = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PF = "/sys/class/net/pf0/device"
VF_XML = "/run/vf.xml"
SMALL = ["small1", "small2", "small3", "small4"]


def run(*words):
    """One process without a shell, its output thrown away."""
    null = [(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    pid = os.posix_spawnp(words[0], words, os.environ, file_actions=null)
    status = os.waitpid(pid, 0)[1]
    if status:
        sys.exit(f"{' '.join(words)}: status {status}")


def text(path):
    with open(path) as file:
        return file.read()


def held():
    """How many VFs guests have."""
    drivers = (f"{PF}/{name}/driver" for name in os.listdir(PF) if name.startswith("virtfn"))
    bound = (os.readlink(driver) for driver in drivers if os.path.exists(driver))
    return sum(os.path.basename(driver) == "vfio-pci" for driver in bound)


def driven():
    """How many VFs are driven by guests: Bus Master Enable is on (PCI Express, section 7.5.1.1.3)."""
    names = [name for name in os.listdir(PF) if name.startswith("virtfn")]
    commands = [open(f"{PF}/{name}/config", "rb").read(6)[4] for name in names]
    return sum(command >> 2 & 1 for command in commands)


def until_driven(vfs):
    begun = time.monotonic()
    while driven() < vfs:
        if time.monotonic() - begun > 240:
            sys.exit(f"{driven()} VFs are driven by guests, not {vfs}")
        time.sleep(1)


def tasks():
    return [f"/proc/{AGENT}/task/{task}" for task in os.listdir(f"/proc/{AGENT}/task")]


def ran():
    """Nanoseconds that the agent has had a CPU, its ended threads included."""
    # Its CPU clock, as clock_getcpuclockid(3) names it.
    return time.clock_gettime_ns(~int(AGENT) << 3 | 2)


def slept():
    """How often each of its threads went to sleep of itself."""
    counts = {}
    for task in tasks():
        try:
            lines = text(f"{task}/status").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            # It ended after it was listed.
            continue
        counts[task] = [line for line in lines if line.startswith("voluntary_ctxt")]
    return counts


def called(task):
    try:
        return text(f"{task}/comm").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def at_rest():
    """What an agent does after a change is not to fall into the next measurement."""
    run("udevadm", "settle")
    begun, quiet, before = time.monotonic(), 0, ran()
    while quiet < 3:
        if time.monotonic() - begun > 120:
            sys.exit("the agent does not come to rest")
        time.sleep(1)
        now = ran()
        quiet = quiet + 1 if now - before < 2_000_000 else 0
        before = now


def enable():
    run("accelnet", "vm", "enable", "web01", "--performance", "low")


def disable():
    run("accelnet", "vm", "disable", "web01")


def attach():
    run("virsh", "-q", "attach-device", "byhand", VF_XML, "--live")


def detach():
    run("virsh", "-q", "detach-device", "byhand", VF_XML, "--live")


def in_turns():
    """The first round does not count; the side that begins changes every round. The other side's
    VM is paused meanwhile: on an emulated processor one that does nothing keeps it busy, too."""
    sides = [("ours", "web01", enable, disable), ("theirs", "byhand", attach, detach)]
    run("virsh", "-q", "suspend", "byhand")
    paused = "byhand"
    for number in range(ROUNDS + 1):
        for label, vm, there, back in sides if number % 2 else reversed(sides):
            if vm == paused:
                paused = "byhand" if vm == "web01" else "web01"
                run("virsh", "-q", "suspend", paused)
                run("virsh", "-q", "resume", vm)
                time.sleep(3)
            at_rest()
            begun = time.monotonic()
            there()
            spent = time.monotonic() - begun
            if held() != 1:
                sys.exit(f"{label}: {held()} VFs are with guests")
            if number:
                print("vm-enable", label, f"{spent:.6f}", flush=True)
            # The guest takes it in use.
            time.sleep(3)
            back()
            while held():
                time.sleep(0.1)
    if paused == "web01":
        run("virsh", "-q", "resume", paused)


def idle():
    run("virsh", "-q", "destroy", "byhand")
    run("accelnet", "vm", "enable", "web01", *SMALL, "--performance", "low")
    until_driven(1)
    for number, name in enumerate(SMALL):
        run("virsh", "-q", "start", name)
        until_driven(number + 2)
    at_rest()
    time.sleep(20)
    begun, cpu, before, wakes = time.monotonic(), ran(), slept(), {}
    for _ in range(WINDOW):
        time.sleep(1)
        now = slept()
        for task in now:
            # What a thread does in one second counts as woken once.
            wakes[task] = wakes.get(task, 0) + (now[task] != before.get(task))
        before = now
    seconds = time.monotonic() - begun
    print("idle", "seconds", f"{seconds:.1f}")
    print("idle", "cpu", f"{(ran() - cpu) / 1e9 / seconds * 100:.5f}")
    # libvirt's daemon asks its clients every 5 seconds whether they are there (keepalive_interval).
    asked = [task for task in wakes if called(task) == "libvirt-events"]
    print("idle", "asked", sum(wakes.pop(task) for task in asked))
    print("idle", "wakes", max(wakes.values()))
    for line in text(f"/proc/{AGENT}/status").splitlines():
        words = line.split()
        if words[0] in ("VmRSS:", "RssAnon:", "RssFile:"):
            print("idle", words[0].rstrip(":"), int(words[1]) / 1024)
    for line in text(f"/proc/{AGENT}/smaps_rollup").splitlines():
        words = line.split()
        if words[0] == "Pss:":
            print("idle", "Pss", int(words[1]) / 1024)


in_turns()
idle()
