# SPDX-License-Identifier: GPL-2.0-or-later
"""A private bus, the real idxdvd on simulated hardware, the real idxdctl; and a small test runner.

A test file defines functions test_*(world) and ends with harness.main(globals()). Each function gets a
bus, a state directory and a daemon of its own. A name ending in _stopped gets no daemon.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

SKIP = 77


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(SKIP)


try:
    import dbus
    import dbus.bus
    import dbus.exceptions
except ImportError:
    skip("python3-dbus is not installed")

NAME = "org.idxdvd1"
ROOT = "/org/idxdvd1"
MANAGER = "org.idxdvd1.Manager"
ACCELERATOR = "org.idxdvd1.Accelerator"
WORKQUEUE = "org.idxdvd1.WorkQueue"
MDEV = "org.idxdvd1.Mdev"
DEFINITION = "org.idxdvd1.Definition"
PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
INVALID_ARGS = "org.freedesktop.DBus.Error.InvalidArgs"
DSA_TYPE = "idxd-dsa-1dwq-v1"
SHARED_TYPE = "idxd-dsa-1swq-v1"

BUILD = os.environ.get("top_builddir", ".")
SOURCE = os.environ.get("top_srcdir", ".")
IDXDVD = os.path.join(BUILD, "idxdvd", "idxdvd")
IDXDCTL = os.path.join(BUILD, "idxdctl")

# No test waits longer than this for anything; under sanitizers everything is slower.
PATIENCE = 30

BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
"""


class Skipped(Exception):
    """Raised by a test that cannot check anything here; says why."""


class Result:
    """What idxdctl did."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.status}\n--- stdout\n{self.out}--- stderr\n{self.err}---"


class World:
    def __init__(self, topology=None):
        self.dir = tempfile.mkdtemp(prefix="idxdvd-dbus.")
        os.chmod(self.dir, 0o755)
        self.state_dir = os.path.join(self.dir, "state")
        self.topology_file = os.path.join(self.dir, "topology.json")
        self.daemon = self.bus_daemon = self.monitor = None
        self.connections = []
        self.env = dict(os.environ)
        self.env["DBUS_SYSTEM_BUS_ADDRESS"] = self.address = (
            f"unix:path={os.path.join(self.dir, 'bus')}")
        if topology is not None:
            self.set_topology(topology)

    def set_topology(self, topology):
        with open(self.topology_file, "w", encoding="ascii") as f:
            json.dump(topology, f)

    # The bus

    def start_bus(self):
        config = os.path.join(self.dir, "bus.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(BUS_CONFIG.format(socket=os.path.join(self.dir, "bus")))
        self.bus_daemon = subprocess.Popen(
            [os.environ.get("DBUS_DAEMON", "dbus-daemon"), f"--config-file={config}",
             "--nofork", "--nopidfile", "--print-address"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if not self.bus_daemon.stdout.readline():
            raise RuntimeError("the private bus did not start")

    def connect(self):
        connection = dbus.bus.BusConnection(self.address)
        self.connections.append(connection)
        return connection

    def wait(self, condition, what):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.02)
        raise AssertionError(f"waited {PATIENCE} s in vain for {what}")

    # The daemon

    def start(self, env=None):
        if self.daemon:
            raise RuntimeError("the daemon runs already")
        self.log = open(os.path.join(self.dir, "log"), "ab")
        self.daemon = subprocess.Popen(
            [IDXDVD, "--debug", "--simulate", self.topology_file, "--state-dir", self.state_dir],
            env={**self.env, **(env or {})}, stdout=self.log, stderr=self.log)
        self.wait(lambda: self.daemon.poll() is not None or self.has_owner(), "the daemon's name")
        if self.daemon.poll() is not None:
            raise AssertionError(f"the daemon ended at once with {self.daemon.returncode}")

    def has_owner(self):
        return self.bus().name_has_owner(NAME)

    def bus(self):
        if not self.connections:
            self.connect()
        return self.connections[0]

    def stop(self, signum=signal.SIGTERM):
        daemon, self.daemon = self.daemon, None
        daemon.send_signal(signum)
        daemon.wait(PATIENCE)
        self.wait(lambda: not self.has_owner(), "the name to be given up")
        self.log.close()
        if signum == signal.SIGTERM:
            equal(daemon.returncode, 0, "exit status of a stopped daemon")

    def read_log(self):
        with open(os.path.join(self.dir, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    # Clients

    def ctl(self, *args, user=None, env=None):
        prefix = ["setpriv", f"--reuid={user}", "--clear-groups"] if user else []
        env = {**self.env, **(env or {})}
        if user:
            # Built for coverage, it writes at its exit, and would complain where it may not.
            env["GCOV_PREFIX"] = os.path.join(self.dir, f"gcov-{user}")
            os.makedirs(env["GCOV_PREFIX"], exist_ok=True)
            os.chown(env["GCOV_PREFIX"], int(user), -1)
        done = subprocess.run(prefix + [IDXDCTL, *args], env=env,
                              capture_output=True, text=True, timeout=2 * PATIENCE)
        return Result(done.returncode, done.stdout, done.stderr)

    def ok(self, *args, **kw):
        """idxdctl that has to succeed and to say nothing on stderr."""
        result = self.ctl(*args, **kw)
        if result.status or result.err:
            raise AssertionError(f"idxdctl {' '.join(args)}: {result}")
        return result

    def call(self, method, *args, iface=MANAGER, path=ROOT, signature=None):
        return self.bus().call_blocking(NAME, path, iface, method, signature, args,
                                        timeout=PATIENCE)

    def adopt(self, device, **options):
        return self.call("Adopt", device, options, signature="sa{sv}")

    def release(self, device, **options):
        return self.call("Release", device, options, signature="sa{sv}")

    def create(self, mdev_type=DSA_TYPE, **options):
        uuid, path, _ = self.call("CreateMdev", mdev_type, options, signature="sa{sv}")
        return str(uuid), str(path)

    def define(self, mdev_type=DSA_TYPE, **options):
        uuid, path, _ = self.call("Define", mdev_type, options, signature="sa{sv}")
        return str(uuid), str(path)

    def modify(self, uuid, **options):
        return self.call("Modify", uuid, options, signature="sa{sv}")

    def destroy(self, uuid, **options):
        return self.call("DestroyMdev", uuid, options, signature="sa{sv}")

    def refresh(self):
        """Waits until everything that was asked for before is over, upkeep of the pool included."""
        self.call("Refresh", signature="")

    def managed(self):
        """All objects: {path: {interface: {property: value}}}, ours only."""
        objects = self.call("GetManagedObjects", iface=OBJECT_MANAGER, signature="")
        return {str(path): {str(i): dict(p) for i, p in ifaces.items() if i.startswith(NAME)}
                for path, ifaces in objects.items()}

    def properties(self, iface, path=ROOT):
        return dict(self.call("GetAll", iface, iface=PROPERTIES, path=path, signature="s"))

    def classes(self):
        """{work queue: class}, as idxdctl sees them."""
        return {q["name"]: q["class"] for a in self.ok("list", "--json").json()["accelerators"]
                for q in a["work_queues"]}

    def settled(self, **counts):
        """Waits until there are that many queues of each class (- is _ here), then returns them.

        The pool is refilled after the answer to create and destroy, hence the wait.
        """
        want = {name.replace("_", "-"): n for name, n in counts.items()}

        def reached():
            self.last = self.classes()
            return {c: list(self.last.values()).count(c) for c in self.last.values()} == want
        try:
            self.wait(reached, f"classes {want}")
        except AssertionError as e:
            raise AssertionError(f"{e}; last seen: {self.last}") from None
        return self.last

    def mdevs(self):
        return [m["uuid"] for a in self.ok("list", "--json").json()["accelerators"]
                for m in a["mdevs"]]

    # Signals

    def watch(self):
        """Starts recording what the daemon says; see signals()."""
        self.monitor_file = os.path.join(self.dir, "monitor")
        self.monitor = subprocess.Popen(
            ["busctl", f"--address={self.address}", "--json=short", "monitor", NAME],
            stdout=open(self.monitor_file, "wb"), stderr=subprocess.DEVNULL)
        # It listens as soon as it sees something that is sent to show just that.
        self.wait(lambda: (self.properties(MANAGER), len(self.recorded()) > 0)[1], "busctl")

    def recorded(self):
        with open(self.monitor_file, encoding="utf-8") as f:
            text = f.read()
        lines = text.split("\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith("{")]

    def signals(self, member):
        """Signals of that name seen so far, all that were sent before this call included."""
        marker = f"Marker{time.monotonic_ns()}"
        try:
            self.call(marker, signature="")
        except dbus.exceptions.DBusException:
            pass
        self.wait(lambda: any(m.get("member") == marker for m in self.recorded()), "the monitor")
        return [m for m in self.recorded()
                if m["type"] == "signal" and m.get("member") == member]

    def close(self):
        for process in (self.monitor, self.daemon):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        for connection in self.connections:
            connection.close()
        if self.bus_daemon:
            self.bus_daemon.kill()
            self.bus_daemon.wait()
            self.bus_daemon.stdout.close()
        shutil.rmtree(self.dir)


# Hardware: see idxdvd/fake-hw.h for the format.

def accelerator(**keys):
    """One DSA with 4 work queues; keyword names have _ where the format has -."""
    given = {"kind": "dsa", "address": "0000:6a:01.0", "wqs": 4, "engines": 2, "groups": 2,
             "size": 64}
    given.update({key.replace("_", "-"): value for key, value in keys.items()})
    return given


def topology(*accelerators, **keys):
    return {"accelerators": list(accelerators), **keys}


def on(*accelerators, **keys):
    """Decorator: run this test on that hardware."""
    def mark(function):
        function.topology = topology(*accelerators, **keys)
        return function
    return mark


# Assertions

def equal(got, want, what="value"):
    if got != want:
        raise AssertionError(f"{what}: {got!r}, not {want!r}")


def contains(text, *parts):
    for part in parts:
        if part.lower() not in text.lower():
            raise AssertionError(f"{part!r} is not in {text!r}")


def refused(name, parts, function, *args, **kw):
    """The call has to fail with that D-Bus error, and its message has to contain all parts."""
    try:
        got = function(*args, **kw)
    except dbus.exceptions.DBusException as e:
        equal(e.get_dbus_name(), name, f"D-Bus error ({e.get_dbus_message()})")
        contains(e.get_dbus_message(), *parts)
        return e.get_dbus_message()
    raise AssertionError(f"it was not refused but returned {got!r}")


# Runner

def run_one(name, function, topology):
    world = World(topology)
    try:
        world.start_bus()
        if not name.endswith("_stopped"):
            world.start()
        function(world)
        if world.daemon:
            world.stop()
        return "ok"
    except Skipped as why:
        print(f"    {why}")
        return "SKIPPED"
    except Exception:
        traceback.print_exc(file=sys.stdout)
        if os.path.exists(os.path.join(world.dir, "log")):
            print("--- the daemon's log\n" + world.read_log() + "---")
        return "FAILED"
    finally:
        world.close()


def main(namespace, needs=()):
    only = sys.argv[1:]
    tests = {n: f for n, f in namespace.items() if n.startswith("test_")}
    tests = {n: f for n, f in tests.items() if not only or n in only}
    if not tests:
        print("no such test")
        sys.exit(99)
    for program in (os.environ.get("DBUS_DAEMON", "dbus-daemon"), *needs):
        if not shutil.which(program):
            skip(f"{program} is not installed")

    results = []
    for name, function in tests.items():
        result = run_one(name, function, getattr(function, "topology", topology(accelerator())))
        print(f"{result}  {name}", flush=True)
        results.append(result)
    skipped = results.count("SKIPPED")
    print(f"{results.count('ok')} of {len(tests)} passed, {skipped} skipped")
    # A file of which a part was skipped has not passed.
    sys.exit(1 if "FAILED" in results else SKIP if skipped else 0)
