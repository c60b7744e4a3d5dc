#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""idxdvd beside mdevctl, on the same files in one run; prints both sides of each ratio.

Run in a build directory:  top_srcdir=.. ../tests/bench/compare.py [N...]
$MDEVCTL is the command to compare with; "mdevctl" unless given. Without it our side is printed alone.
Processor time (cpu) is that of the daemon and of the programs that are run; that of our own Python client
and of the bus is not in it. On a busy machine compare that, not the wall clock.
The machine is simulated, so neither side waits for a kernel. mdevctl writes without fsync, we with:
put $TMPDIR on a disk to see what that costs.
"""

import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dbus"))

import harness  # noqa: E402
from harness import DSA_TYPE, MANAGER, MDEV, ROOT  # noqa: E402

BDF = "0000:6a:01.0"
RUNS = 7


def median(values):
    return sorted(values)[len(values) // 2]


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def cpu_of(world):
    """Milliseconds that the daemon and everything that was run have used so far."""
    daemon = 0
    for task in os.listdir(f"/proc/{world.daemon.pid}/task"):
        with open(f"/proc/{world.daemon.pid}/task/{task}/schedstat", encoding="ascii") as f:
            daemon += int(f.read().split()[0]) / 1e6
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return daemon + (children.ru_utime + children.ru_stime) * 1000


def clock(world, function, runs=RUNS):
    """Median wall-clock time and median processor time, in milliseconds."""
    walls, cpus = [], []
    for _ in range(runs):
        cpu, start = cpu_of(world), time.perf_counter()
        function()
        walls.append((time.perf_counter() - start) * 1000)
        cpus.append(cpu_of(world) - cpu)
    return median(walls), median(cpus)


class Mdevctl:
    def __init__(self, world):
        self.command = shlex.split(os.environ.get("MDEVCTL", "mdevctl"))
        self.there = bool(shutil.which(self.command[0]))
        self.root = os.path.join(world.dir, "root")
        scripts = "usr/lib/mdevctl/scripts.d"
        for path in ("etc", "sys/bus/mdev/devices", f"{scripts}/callouts", f"{scripts}/notifiers",
                     f"sys/class/mdev_bus/{BDF}", f"sys/class/mdev_bus/{BDF}/mdev_supported_types/{DSA_TYPE}"):
            os.makedirs(os.path.join(self.root, path), exist_ok=True)
        os.symlink(os.path.join(world.state_dir, "mdevctl.d"),
                   os.path.join(self.root, "etc", "mdevctl.d"))
        self.env = {**os.environ, "MDEVCTL_ENV_ROOT": self.root}

    def run(self, *args):
        done = subprocess.run(self.command + list(args), env=self.env, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mdevctl {' '.join(args)}: {done.stderr}")
        return done.stdout


def row(what, ours, theirs):
    line = f"{what:38} {ours[0]:9.2f} {ours[1]:9.2f}"
    if theirs:
        line += f" {theirs[0]:9.2f} {theirs[1]:9.2f}"
        line += "".join(f" {t / max(o, 0.001):8.1f}" for o, t in zip(ours, theirs))
    print(line)


def compare_definitions(n):
    world = harness.World({"accelerators": [{}]})
    try:
        world.start_bus()
        world.start()
        theirs = Mdevctl(world)
        for name in ("callouts", "notifiers"):
            os.makedirs(os.path.join(world.state_dir, "mdevctl.d", "scripts.d", name))
        folder = os.path.join(world.state_dir, "mdevctl.d", BDF)
        os.makedirs(folder, exist_ok=True)
        for _ in range(n - 1):
            with open(os.path.join(folder, str(uuid.uuid4())), "w", encoding="ascii") as f:
                f.write(json.dumps({"mdev_type": DSA_TYPE, "start": "manual", "attrs": []}))
        world.call("Refresh", signature="")
        one, path = world.define(parent="dsa0")
        count = len([o for o in world.managed().values() if harness.DEFINITION in o])
        if count != n:
            raise AssertionError(f"{count} definitions, wanted {n}")
        if theirs.there:
            listed = json.loads(theirs.run("list", "-d", "--dumpjson"))
            if len(listed[0][BDF]) != n:
                raise AssertionError("mdevctl sees other definitions")

        def beside(what, ours, *args):
            row(what, clock(world, ours),
                clock(world, lambda: theirs.run(*args)) if theirs.there else None)

        print(f"\n{str(n) + ' definitions, ms':38}{'idxdvd':>10}{'cpu':>10}"
              f"{'mdevctl':>10}{'cpu':>10}{'ratio':>9}{'cpu':>9}")
        beside("list, as a program", lambda: world.ok("list", "--json"), "list", "-d", "--dumpjson")
        beside("list, on the bus (GetManagedObjects)",
               lambda: world.call("GetManagedObjects", iface=harness.OBJECT_MANAGER, signature=""),
               "list", "-d", "--dumpjson")
        beside("show one, on the bus", lambda: world.properties(harness.DEFINITION, path),
               "list", "-d", "-u", one, "--dumpjson")
        flip = [False]

        def modify():
            flip[0] = not flip[0]
            world.modify(one, autostart=flip[0])

        sides = iter([f"--{s}" for _ in range(RUNS) for s in ("auto", "manual")])
        row("modify one, on the bus, durable", clock(world, modify),
            clock(world, lambda: theirs.run("modify", "-u", one, "-p", BDF, next(sides)))
            if theirs.there else None)
        row("define one, on the bus, durable", clock(world, lambda: world.define(parent="dsa0")),
            clock(world, lambda: theirs.run("define", "-u", str(uuid.uuid4()), "-p", BDF, "-t", DSA_TYPE))
            if theirs.there else None)
        with open(f"/proc/{world.daemon.pid}/status", encoding="ascii") as f:
            rss = next(line.split()[1] for line in f if line.startswith("VmRSS"))
        print(f"memory of the daemon (RSS): {int(rss) / 1024:.1f} MiB")
    finally:
        world.close()


def latencies(function, n=2000):
    times = []
    for _ in range(n):
        start = time.perf_counter()
        function()
        times.append((time.perf_counter() - start) * 1000)
    return times


def bus_latency():
    world = harness.World({"accelerators": [{}]})
    try:
        world.start_bus()
        world.start()
        world.adopt("dsa0")
        _, path = world.create()
        bus = world.bus()
        calls = {
            "the bus itself, GetId": ("org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", "GetId", "", ()),
            "idxdvd, Ping": (harness.NAME, path, "org.freedesktop.DBus.Peer", "Ping", "", ()),
            "idxdvd, Get": (harness.NAME, ROOT, harness.PROPERTIES, "Get", "ss",
                            (MANAGER, "MdevCount")),
            "idxdvd, GetAll of an mdev": (harness.NAME, path, harness.PROPERTIES, "GetAll", "s",
                                          (MDEV,)),
        }
        print("\nround trips from one Python client             p50          p99")
        for what, call in calls.items():
            times = latencies(lambda: bus.call_blocking(*call))
            print(f"{what:40} {percentile(times, 50):8.3f} ms  {percentile(times, 99):8.3f} ms")
    finally:
        world.close()


if not shutil.which(shlex.split(os.environ.get("MDEVCTL", "mdevctl"))[0]):
    print("mdevctl is not here: our side alone")
for size in [int(a) for a in sys.argv[1:]] or [1, 100, 1000, 10000]:
    compare_definitions(size)
bus_latency()
