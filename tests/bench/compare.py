#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""idxdvd beside mdevctl and systemd-hostnamed in one run; prints both sides, their ratio and the goal.

Run in a build directory:  top_srcdir=.. ../tests/bench/compare.py [--save] [N...]
N are numbers of definitions and of running mdevs; 1 100 1000 10000 unless given. --save also writes a
dated file in tests/bench/results of the source tree, with the commit.
$MDEVCTL is the command to compare with; "mdevctl" unless given. $HOSTNAMED likewise. Without one of
them our side is printed alone.

The machine is simulated, and mdevctl has a tree of plain files (MDEVCTL_ENV_ROOT), so neither side waits
for a kernel. Both see the same definitions. mdevctl writes without fsync, we with: put $TMPDIR on a disk
to see what that costs. Times are the median of 7 runs; cpu is the processor time of the daemon and of the
programs that are run, to be compared on a busy machine. A goal that is missed is marked.
"""

import datetime
import json
import os
import platform
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dbus"))

import harness  # noqa: E402
from harness import DSA_TYPE, MANAGER, MDEV, ROOT  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
ROUNDTRIP = os.path.join(harness.BUILD, "tests", "bench", "roundtrip")
HOSTNAMED = os.environ.get("HOSTNAMED", "/lib/systemd/systemd-hostnamed")
HOSTNAME1 = ("org.freedesktop.hostname1", "/org/freedesktop/hostname1", "org.freedesktop.hostname1")
QUEUES = 64
BDF = "0000:6a:01.0"
RUNS = 7
IDLE_SECONDS = 10
lines = []


def say(text=""):
    print(text, flush=True)
    lines.append(text)


def median(values):
    return sorted(values)[len(values) // 2]


def daemon_cpu(world):
    daemon = 0
    for task in os.listdir(f"/proc/{world.daemon.pid}/task"):
        with open(f"/proc/{world.daemon.pid}/task/{task}/schedstat", encoding="ascii") as f:
            daemon += int(f.read().split()[0]) / 1e6
    return daemon


def cpu_of(world):
    """Milliseconds that the daemon and everything that was run have used so far."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return daemon_cpu(world) + (children.ru_utime + children.ru_stime) * 1000


def clock(world, function, runs=RUNS):
    """Median wall-clock time and median processor time, in milliseconds."""
    walls, cpus = [], []
    for _ in range(runs):
        cpu, start = cpu_of(world), time.perf_counter()
        function()
        walls.append((time.perf_counter() - start) * 1000)
        cpus.append(cpu_of(world) - cpu)
    return median(walls), median(cpus)


class Bench(harness.World):
    """A daemon without its debug log."""

    def start(self, env=None):
        self.log = open(os.path.join(self.dir, "log"), "ab")
        self.daemon = subprocess.Popen(
            [harness.IDXDVD, "--simulate", self.topology_file, "--state-dir", self.state_dir],
            env=self.env, stdout=self.log, stderr=self.log)
        while self.daemon.poll() is None and not self.has_owner():
            time.sleep(0.001)
        if self.daemon.poll() is not None:
            raise AssertionError("the daemon ended at once: " + self.read_log()[-500:])

    def memory(self):
        """Of its own (RssAnon), in KiB. What it shares is the simulated hardware and the program."""
        with open(f"/proc/{self.daemon.pid}/status", encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("RssAnon"))

    def adopt_all(self, n):
        for i in range(n):
            self.adopt(f"dsa{i}", **{"host-wqs": harness.dbus.UInt32(0),
                                     "pool-min": harness.dbus.UInt32(0)})


def machine(accels, **keys):
    """That many accelerators of 64 queues: more queues than real ones have, to have many mdevs."""
    return {"accelerators": [{"address": address(i), "wqs": QUEUES, "size": 128, "engines": 8}
                             for i in range(accels)], **keys}


def address(i):
    return f"{i:04x}:6a:01.0"


def parents_for(n):
    return (n + QUEUES - 1) // QUEUES


def bus_clock(world, *call):
    """As clock(), from a client that leaves the answer unread; cpu is the daemon's alone."""
    cpu = daemon_cpu(world)
    wall = roundtrip(world, harness.NAME, *call, count=RUNS)[0] / 1000
    return wall, (daemon_cpu(world) - cpu) / (2 * RUNS)


LIST = (ROOT, harness.OBJECT_MANAGER, "GetManagedObjects")


class Mdevctl:
    """The real one, on a tree of files."""

    def __init__(self, world, parents=(BDF,)):
        self.command = shlex.split(os.environ.get("MDEVCTL", "mdevctl"))
        self.there = bool(shutil.which(self.command[0]))
        self.root = os.path.join(world.dir, "root")
        scripts = "usr/lib/mdevctl/scripts.d"
        for path in ("etc", "sys/bus/mdev/devices", f"{scripts}/callouts", f"{scripts}/notifiers"):
            os.makedirs(os.path.join(self.root, path), exist_ok=True)
        for parent in parents:
            folder = os.path.join(self.root, "sys/class/mdev_bus", parent, "mdev_supported_types", DSA_TYPE)
            os.makedirs(folder)
            for name, text in (("available_instances", str(QUEUES)), ("create", ""),
                               ("device_api", "vfio-pci"), ("name", "Intel DSA 1DWQ"), ("description", "")):
                with open(os.path.join(folder, name), "w", encoding="ascii") as f:
                    f.write(text)
        for name in ("callouts", "notifiers"):
            os.makedirs(os.path.join(world.state_dir, "mdevctl.d", "scripts.d", name), exist_ok=True)
        os.symlink(os.path.join(world.state_dir, "mdevctl.d"),
                   os.path.join(self.root, "etc", "mdevctl.d"))
        self.env = {**os.environ, "MDEVCTL_ENV_ROOT": self.root}

    def run(self, *args):
        done = subprocess.run(self.command + list(args), env=self.env, capture_output=True,
                              text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mdevctl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def appear(self, name, parent=BDF):
        """As the kernel shows an mdev that runs."""
        parent_dir = os.path.join(self.root, "sys/class/mdev_bus", parent)
        device = os.path.join(parent_dir, name)
        os.makedirs(device, exist_ok=True)
        with open(os.path.join(device, "remove"), "w", encoding="ascii"):
            pass
        for target, link in ((os.path.join(parent_dir, "mdev_supported_types", DSA_TYPE),
                              os.path.join(device, "mdev_type")),
                             (device, os.path.join(self.root, "sys/bus/mdev/devices", name))):
            if not os.path.islink(link):
                os.symlink(os.path.relpath(target, os.path.dirname(link)), link)


def head(title):
    say(f"\n{title:42}{'idxdvd':>9}{'cpu':>8}{'other':>10}{'cpu':>8}{'ratio':>8}{'goal':>9}")


def row(what, ours, theirs=None, goal=None):
    """Milliseconds; the goal is that of the wall clock of our side."""
    def cpu(side):
        return " " * 8 if side[1] is None else f"{side[1]:8.2f}"

    line = f"{what:42}{ours[0]:9.2f}{cpu(ours)}"
    line += f"{theirs[0]:10.2f}{cpu(theirs)}{theirs[0] / max(ours[0], 0.001):8.1f}" if theirs else " " * 26
    if goal is not None:
        line += f"{goal:9.2f}" + ("" if ours[0] <= goal else "  missed")
    say(line)


LIST_GOALS = {1: 1, 100: 1.5, 1000: 8, 10000: 80}


def write_definitions(world, n, parent, start="manual"):
    folder = os.path.join(world.state_dir, "mdevctl.d", parent)
    os.makedirs(folder, exist_ok=True)
    names = [str(uuid.uuid4()) for _ in range(n)]
    for name in names:
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(json.dumps({"mdev_type": DSA_TYPE, "start": start, "attrs": []}))
    return names


def compare_definitions(n):
    world = Bench({"accelerators": [{}]})
    try:
        world.start_bus()
        world.start()
        theirs = Mdevctl(world)
        write_definitions(world, n - 1, BDF)
        world.call("Refresh", signature="")
        one, path = world.define(parent="dsa0")
        count = len([o for o in world.managed().values() if harness.DEFINITION in o])
        if count != n:
            raise AssertionError(f"{count} definitions, wanted {n}")
        if theirs.there and len(json.loads(theirs.run("list", "-d", "--dumpjson"))[0][BDF]) != n:
            raise AssertionError("mdevctl sees other definitions")

        def other(*args):
            return clock(world, lambda: theirs.run(*args)) if theirs.there else None

        head(f"{n} definitions, ms")
        listed = other("list", "-d", "--dumpjson")
        row("list, on the bus (GetManagedObjects)",
            bus_clock(world, *LIST),
            listed, LIST_GOALS.get(n))
        row("list, as a program", clock(world, lambda: world.ok("list", "--json")), listed,
            LIST_GOALS[n] + 6 if n in LIST_GOALS else None)
        row("show one, on the bus", bus_clock(world, path, harness.PROPERTIES, "GetAll", harness.DEFINITION),
            other("list", "-d", "-u", one, "--dumpjson"), 0.2)
        flip = [False]

        def modify():
            flip[0] = not flip[0]
            world.modify(one, autostart=flip[0])

        sides = iter([f"--{s}" for _ in range(RUNS) for s in ("auto", "manual")])
        row("modify one, on the bus, durable", clock(world, modify),
            clock(world, lambda: theirs.run("modify", "-u", one, "-p", BDF, next(sides)))
            if theirs.there else None, 1)
        row("define one, on the bus, durable", clock(world, lambda: world.define(parent="dsa0")),
            clock(world, lambda: theirs.run("define", "-u", str(uuid.uuid4()), "-p", BDF, "-t", DSA_TYPE))
            if theirs.there else None, 1)
    finally:
        world.close()


def compare_running(n):
    accels = parents_for(n + RUNS)
    world = Bench(machine(accels))
    try:
        world.start_bus()
        world.start()
        theirs = Mdevctl(world, [address(i) for i in range(accels)])
        before = world.memory()
        world.adopt_all(accels)
        names = []
        for _ in range(n):
            name, path = world.create()
            names.append(name)
        if theirs.there:
            for i, name in enumerate(names):
                theirs.appear(name, address(i % accels))
            if len(json.loads(theirs.run("list", "--dumpjson"))) == 0:
                raise AssertionError("mdevctl sees no mdev")
        # Those with the highest numbers were filled last.
        ours = iter([world.define(parent=f"dsa{(accels - 1 - i) % accels}")[0] for i in range(RUNS)])
        defined = [str(uuid.uuid4()) for _ in range(RUNS)]
        if theirs.there:
            for name in defined:
                theirs.run("define", "-u", name, "-p", address(0), "-t", DSA_TYPE)
        start, stop = iter(defined), iter(defined)
        started = []

        def start_ours():
            started.append(next(ours))
            world.call("Start", started[-1], {}, signature="sa{sv}")

        head(f"{n} mdevs on {accels} accelerators, ms")
        row("list, on the bus (with all queues)",
            bus_clock(world, *LIST),
            clock(world, lambda: theirs.run("list", "--dumpjson")) if theirs.there else None)
        row("show one, on the bus", bus_clock(world, path, harness.PROPERTIES, "GetAll", MDEV),
            clock(world, lambda: theirs.run("list", "-u", names[-1], "--dumpjson")) if theirs.there else None,
            0.2)
        row("types and capacity, on the bus", bus_clock(world, ROOT, MANAGER, "ListTypes"),
            clock(world, lambda: theirs.run("types", "--dumpjson")) if theirs.there else None)
        row("start one, on the bus, durable", clock(world, start_ours),
            clock(world, lambda: theirs.run("start", "-u", next(start), "-p", address(0)))
            if theirs.there else None, 0.5)
        for name in defined if theirs.there else ():
            theirs.appear(name, address(0))
        row("stop one, on the bus, durable",
            clock(world, lambda: world.call("Stop", started.pop(), {}, signature="sa{sv}")),
            clock(world, lambda: theirs.run("stop", "-u", next(stop))) if theirs.there else None)
        say(f"memory of the daemon: {before} KiB without mdevs, {world.memory()} KiB with {n} mdevs and"
            f" {accels * QUEUES} queues: {(world.memory() - before) * 1024 // n} bytes each")
        latency(f"D-Bus with {n} mdevs", world, path)
    finally:
        world.close()


def compare_autostart(n):
    accels = parents_for(n)
    world = Bench(machine(accels))
    try:
        world.start_bus()
        world.start()
        theirs = Mdevctl(world, [address(i) for i in range(accels)])
        world.adopt_all(accels)
        for i in range(accels):
            write_definitions(world, min(QUEUES, n - i * QUEUES), address(i), "auto")
        parents = os.path.join(world.state_dir, "mdevctl.d")
        plain, autos = os.path.join(world.dir, "none"), os.path.join(world.dir, "autos")
        world.stop()
        os.rename(parents, autos)
        os.makedirs(plain)

        def restart(definitions):
            """A boot: the hardware is new, the daemon starts; its name comes when all is done."""
            shutil.rmtree(parents, ignore_errors=True)
            shutil.copytree(definitions, parents)
            for name in os.listdir(os.path.join(world.state_dir, "devices")):
                file = os.path.join(world.state_dir, "devices", name)
                with open(file, encoding="ascii") as f:
                    record = json.load(f)
                record["boot-id"] = str(uuid.uuid4())
                with open(file, "w", encoding="ascii") as f:
                    json.dump(record, f)
            os.unlink(os.path.join(world.state_dir, "simulated-hardware.json"))
            begin = time.perf_counter()
            world.start()
            took = (time.perf_counter() - begin) * 1000
            count, cpu = int(world.properties(MANAGER)["MdevCount"]), cpu_of(world)
            world.stop()
            return took, cpu, count

        empty = restart(plain)
        full = restart(autos)
        if full[2] != n:
            raise AssertionError(f"{full[2]} of {n} came")
        shutil.rmtree(parents)
        shutil.copytree(autos, parents)
        other = None
        if theirs.there:
            begin = time.perf_counter()
            for i in range(accels):
                theirs.run("start-parent-mdevs", address(i))
            other = ((time.perf_counter() - begin) * 1000, None)
        head(f"autostart of {n} on {accels} parents, ms")
        row("from new hardware to READY, with layout", (full[0], None), other)
        row("the same without definitions", (empty[0], None))
        row("so the autostart, durable", (full[0] - empty[0], None), other, 80 if n == 1000 else None)
    finally:
        world.close()


def roundtrip(world, *call, count=1000):
    done = subprocess.run([ROUNDTRIP, str(count), *call], env=world.env, capture_output=True, text=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"{call}: {done.stderr}")
    return [int(t) for t in done.stdout.split()]


def latency(title, world, path):
    """Three kinds of call, as percentiles in microseconds: the median of 7 turns. hostnamed is on the
    same bus, and has its turns between ours.
    """
    hostnamed = None
    if os.access(HOSTNAMED, os.X_OK):
        hostnamed = subprocess.Popen([HOSTNAMED], env=world.env, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
        world.wait(lambda: hostnamed.poll() is not None or world.bus().name_has_owner(HOSTNAME1[0]),
                   "hostnamed")
        if hostnamed.poll() is not None:
            say(f"{HOSTNAMED} does not run here, status {hostnamed.returncode}: our side alone")
            hostnamed = None
    peer = ("org.freedesktop.DBus.Peer", "Ping")
    kinds = (("Ping", peer, peer),
             ("Get", (harness.PROPERTIES, "Get", MDEV, "Type"),
              (harness.PROPERTIES, "Get", HOSTNAME1[2], "Hostname")),
             ("GetAll", (harness.PROPERTIES, "GetAll", MDEV),
              (harness.PROPERTIES, "GetAll", HOSTNAME1[2])))
    say(f"\n{title + ', us':42}{'p50':>7}{'p99':>7}{'p99.9':>7}{'hostnamed':>12}{'p99':>7}{'p99.9':>7}"
        f"{'p50 ratio':>11}{'p99':>6}   goal 1.10")
    for name, ours, other in kinds:
        mine, its = [], []
        for _ in range(RUNS):
            mine.append(roundtrip(world, harness.NAME, path, *ours))
            its.append(roundtrip(world, *HOSTNAME1[:2], *other) if hostnamed else None)
        mine = [median(column) for column in zip(*mine)]
        line = f"{name:42}" + "".join(f"{t:7}" for t in mine)
        if hostnamed:
            its = [median(column) for column in zip(*its)]
            line += f"{its[0]:12}{its[1]:7}{its[2]:7}{mine[0] / its[0]:11.2f}{mine[1] / its[1]:6.2f}"
            line += "" if mine[0] <= 1.1 * its[0] else "  missed"
        say(line)
    say(f"{'the bus itself, GetId':42}" + "".join(f"{t:7}" for t in roundtrip(
        world, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId")))
    if hostnamed:
        hostnamed.terminate()
        hostnamed.wait()


def slow_driver():
    """Latency while the driver sleeps in a create, and what the daemon does when nothing is asked."""
    world = Bench({"accelerators": [{}], "faults": [{"call": "mdev_create", "ms": 2000, "after": 1}]})
    try:
        world.start_bus()
        world.start()
        world.adopt("dsa0")
        _, path = world.create()
        latency("D-Bus while nothing else happens", world, path)
        stop = threading.Event()

        def creates():
            while not stop.is_set():
                subprocess.run([harness.IDXDCTL, "create"], env=world.env, capture_output=True, check=False)

        busy = threading.Thread(target=creates)
        busy.start()
        time.sleep(0.5)
        latency("D-Bus while a create sleeps 2 s in it", world, path)
        stop.set()
        busy.join()
        before = wakeups(world.daemon.pid)
        time.sleep(IDLE_SECONDS)
        say(f"\nwake-ups of the idle daemon in {IDLE_SECONDS} s: {wakeups(world.daemon.pid) - before}"
            "; goal 0 without a watchdog")
    finally:
        world.close()


def wakeups(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[2])
    return total


def git(*args):
    done = subprocess.run(["git", "-C", HERE, *args], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def main():
    args = sys.argv[1:]
    save = "--save" in args
    sizes = [int(a) for a in args if a != "--save"] or [1, 100, 1000, 10000]
    command = shlex.split(os.environ.get("MDEVCTL", "mdevctl"))
    version = "not here: our side alone"
    if shutil.which(command[0]):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "etc", "mdevctl.d"))
            done = subprocess.run(command + ["--version"], capture_output=True, text=True, check=False,
                                  env={**os.environ, "MDEVCTL_ENV_ROOT": root})
        version = done.stdout.strip() or "version unknown"
    today = datetime.datetime.now(datetime.timezone.utc)
    changed = " and changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    say(f"{today:%Y-%m-%dT%H:%MZ}, commit {git('rev-parse', 'HEAD')}{changed}")
    say(f"{os.cpu_count()} processors, Linux {platform.release()}, load {os.getloadavg()[0]:.1f}; "
        f"mdevctl: {version}; files in {os.environ.get('TMPDIR', '/tmp')}")
    for size in sizes:
        compare_definitions(size)
    for size in sizes:
        compare_running(size)
    compare_autostart(min(1000, max(sizes)))
    slow_driver()
    if save:
        path = os.path.join(HERE, "results", f"{today:%Y-%m-%d}.txt")
        with open(path, "a", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n\n")
        print(f"appended to {path}")


main()
