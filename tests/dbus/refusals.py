#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every refusal: D-Bus error name, exit status, and a message with object, reason, holder, remedy.

After each one the machine is as it was.
"""

import os
import shutil
import signal
import subprocess
import threading
import time

import dbus

import harness
from harness import DSA_TYPE, INVALID_ARGS, accelerator, contains, equal, on, refused

UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"
OTHER = "00c0ffee-94a8-4a4e-9d0b-3a6b0f3c2b11"
ERROR = "org.idxdvd1.Error."


def both(world, error, status, parts, verb, call):
    """The same refusal through idxdctl (list of arguments) and over D-Bus (function)."""
    before = world.ok("list", "--json").out
    message = refused(error, parts, call)
    result = world.ctl(*verb)
    equal((result.status, result.out), (status, ""), f"exit status and stdout ({result.err!r})")
    contains(result.err, "idxdctl: ", *parts)
    equal(result.err.count("\n"), 1, "lines on stderr")
    equal(world.ok("list", "--json").out, before, "the machine after the refusal")
    return message


def test_no_such_device(world):
    both(world, ERROR + "NoSuchDevice", 3, ["dsa7", "idxdctl list"],
         ["adopt", "dsa7"], lambda: world.adopt("dsa7"))
    both(world, ERROR + "NoSuchDevice", 3, ["0000:ff:01.0"],
         ["release", "0000:ff:01.0"], lambda: world.release("0000:ff:01.0"))
    both(world, ERROR + "NoSuchDevice", 3, ["dsa7"],
         ["create", "-p", "dsa7"], lambda: world.create(parent="dsa7"))


@on()
def test_no_device_at_all(world):
    both(world, ERROR + "NoSuchDevice", 3, ["dsa0"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(accelerator(), module=False)
def test_no_module(world):
    both(world, ERROR + "NoModule", 1, ["dsa0", "idxd_mdev", "not loaded", "modprobe idxd_mdev"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(accelerator(iommu=False, pasid=False))
def test_no_iommu(world):
    both(world, ERROR + "NoIommu", 1, ["dsa0", "IOMMU", "intel_iommu=on"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(accelerator(pasid=False))
def test_no_scalable_mode(world):
    both(world, ERROR + "NoIommu", 1, ["dsa0", "scalable mode", "sm_on"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


def test_not_adopted(world):
    both(world, ERROR + "NotAdopted", 3, ["dsa0", "adopted", "idxdctl adopt"],
         ["create", "-p", "dsa0"], lambda: world.create(parent="dsa0"))
    both(world, ERROR + "NotAdopted", 3, ["dsa0", "adopted"],
         ["release", "dsa0"], lambda: world.release("dsa0"))
    both(world, ERROR + "NotAdopted", 3, ["adopt"],
         ["create"], lambda: world.create())


def test_work_queues_used_up(world):
    world.ok("adopt", "dsa0", "--host-wqs", "1")
    uuids = [world.ok("create").out.strip() for _ in range(3)]
    world.settled(free=1, mdev_idle=3)
    both(world, ERROR + "NoCapacity", 6, ["dsa0"],
         ["create", "-p", "dsa0"], lambda: world.create(parent="dsa0"))
    world.ok("destroy", uuids[1])
    world.ok("create", "-p", "dsa0")


def unsafe(device):
    @on(accelerator(device=device, kind="dsa" if device == "0b25" else "iax"))
    def test(world):
        name = "dsa0" if device == "0b25" else "iax0"
        mdev_type = f"idxd-{name[:3]}-1dwq-v1"
        world.ok("adopt", name)
        world.refresh()
        both(world, ERROR + "UnsafeDevice", 7, [name, "8086:" + device, "CVE-2024-21823"],
             ["create", "-p", name], lambda: world.create(mdev_type, parent=name))
        equal(world.ok("types", "--json").json()["types"][0]["creatable"], 0)
        shown = world.ok("list", "--json").json()["accelerators"][0]
        equal((shown["unsafe"], shown["erratum"]), (True, "CVE-2024-21823"))
        contains(world.ok("list").out, "UNSAFE", "CVE-2024-21823")
    return test


test_erratum_dsa = unsafe("0b25")
test_erratum_iax = unsafe("0cfe")


def test_bad_uuid(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    for bad in ("not-a-uuid", UUID[:-1], UUID + "0", UUID.replace("-", ""),
                "00000000-0000-0000-0000-000000000000", "../../etc/passwd"):
        both(world, ERROR + "InvalidUuid", 2, [bad, "UUID"],
             ["create", "-u", bad], lambda b=bad: world.create(uuid=b))
    both(world, ERROR + "NoSuchMdev", 3, ["nonsense", "idxdctl list"],
         ["destroy", "nonsense"], lambda: world.destroy("nonsense"))


def test_no_such_mdev(world):
    both(world, ERROR + "NoSuchMdev", 3, [UUID],
         ["destroy", UUID], lambda: world.destroy(UUID))


def test_uuid_exists(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "-u", UUID)
    world.settled(free=2, mdev_idle=1, pool=1)
    both(world, ERROR + "Exists", 5, [UUID, "0000:6a:01.0", "wq0.", "another UUID"],
         ["create", "-u", UUID], lambda: world.create(uuid=UUID))


def test_bad_type(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    both(world, ERROR + "NoSuchType", 3, ["idxd-dsa-9dwq-v1", "no such mdev type", DSA_TYPE],
         ["create", "-t", "idxd-dsa-9dwq-v1"], lambda: world.create("idxd-dsa-9dwq-v1"))
    both(world, ERROR + "NoSuchType", 3, ["idxd-iax-1dwq-v1", "dsa0"],
         ["create", "-t", "idxd-iax-1dwq-v1", "-p", "dsa0"],
         lambda: world.create("idxd-iax-1dwq-v1", parent="dsa0"))


def test_bad_work_queue(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    both(world, ERROR + "NoSuchWorkQueue", 3, ["wq0.9"],
         ["create", "--wq", "wq0.9"], lambda: world.create(wq="wq0.9"))
    uuid = world.ok("create").out.strip()
    classes = world.settled(free=2, mdev_idle=1, pool=1)
    taken = next(n for n, c in classes.items() if c == "mdev-idle")
    both(world, ERROR + "InUse", 5, [taken, uuid],
         ["create", "--wq", taken], lambda: world.create(wq=taken))


def test_release_while_mdevs_exist(world):
    world.ok("adopt", "dsa0", "--host-wqs", "0")
    world.ok("create", "-u", UUID)
    world.ok("create", "-u", OTHER)
    world.settled(free=1, mdev_idle=2, pool=1)
    both(world, ERROR + "InUse", 5, ["dsa0", "2 mdevs", UUID, OTHER, "destroy them first"],
         ["release", "dsa0"], lambda: world.release("dsa0"))


@on(accelerator(enabled=True, engine_groups=[0, 0], queues=[
    {"id": 0, "size": 16, "group": 0, "mode": "dedicated", "type": "user", "name": "mine",
     "driver-name": "mdev", "driver": "mdev", "priority": 10}]),
    mdevs=[{"uuid": UUID, "type": DSA_TYPE, "wq": "wq0.0", "pid": 4711, "comm": "qemu-system-x86"}])
def test_destroy_what_somebody_else_made(world):
    shown = world.ok("list", "--json").json()["accelerators"][0]["mdevs"][0]
    equal((shown["managed"], shown["state"], shown["holder"]),
          (False, "in-use", "pid 4711 (qemu-system-x86)"))
    both(world, ERROR + "Foreign", 5, [UUID, "not created by idxdvd", "mdevctl"],
         ["destroy", UUID], lambda: world.destroy(UUID))


def test_destroy_names_each_failure(world):
    world.ok("adopt", "dsa0")
    uuid = world.ok("create").out.strip()
    result = world.ctl("destroy", OTHER, uuid, "nonsense")
    equal(result.status, 3, "exit status of the first failure")
    equal(result.err.count("idxdctl: destroy: "), 2)
    equal(world.mdevs(), [], "the one that could be destroyed is gone")


def test_unknown_option(world):
    for call in (world.adopt, world.release, world.create, world.destroy):
        refused(INVALID_ARGS, ["'sparkle'", "dry-run"], call, "dsa0", sparkle=True)
    # One that another method takes is unknown too.
    refused(INVALID_ARGS, ["Adopt", "'uuid'", "host-wqs"], world.adopt, "dsa0", uuid=UUID)


def test_option_given_twice(world):
    # A dictionary of Python cannot hold a key twice; busctl sends what it is told.
    if not shutil.which("busctl"):
        print("    busctl is not installed: not checked")
        return
    done = subprocess.run(
        ["busctl", f"--address={world.address}", "call", harness.NAME, harness.ROOT,
         harness.MANAGER, "Adopt", "sa{sv}", "dsa0", "2", "host-wqs", "u", "1", "host-wqs", "u",
         "3"], capture_output=True, text=True, timeout=harness.PATIENCE)
    equal((done.returncode, done.stdout), (1, ""))
    contains(done.stderr, "Adopt", "'host-wqs'", "twice")
    equal(world.ok("status", "--json").json()["adopted"], 0)


def test_malformed_arguments(world):
    refused(INVALID_ARGS, ["device", "empty"], world.adopt, "")
    refused(INVALID_ARGS, ["device", "1000"], world.adopt, "d" * 1000)
    refused(INVALID_ARGS, ["'uuid'", "'u'"], world.create, uuid=dbus.UInt32(7))
    refused(INVALID_ARGS, ["'uuid'", "65"], world.create, uuid="6" * 65)
    refused(INVALID_ARGS, ["'host-wqs'", "'i'", "'u'"], world.adopt, "dsa0",
            **{"host-wqs": dbus.Int32(-1)})
    refused(INVALID_ARGS, [], world.call, "Adopt", "dsa0", signature="s")
    harness.equal(world.ok("status", "--json").json()["adopted"], 0)


def test_stranger_may_look_only(world):
    if os.geteuid() != 0:
        print("    not root, so there is no stranger to play: not checked")
        return
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    before = world.ok("list", "--json").out
    equal(world.ok("list", "--json", user="65534").out, before, "what a stranger sees")
    for verb in (["adopt", "dsa0"], ["release", "dsa0"], ["create"], ["destroy", UUID]):
        result = world.ctl(*verb, user="65534")
        equal((result.status, result.out), (4, ""), f"{verb}: {result.err!r}")
        contains(result.err, verb[0], "65534", "org.idxdvd1.manage-", "become root")
    equal(world.ok("list", "--json").out, before)


def test_not_running_stopped(world):
    for verb in (["adopt", "dsa0"], ["release", "dsa0"], ["create"], ["destroy", UUID], ["list"],
                 ["types"], ["status"], ["list", "--json"]):
        result = world.ctl(*verb)
        equal((result.status, result.out), (1, ""), " ".join(verb))
        contains(result.err, "idxdvd is not running", "systemctl start idxdvd")


def test_no_bus_stopped(world):
    result = world.ctl("list", env={"DBUS_SYSTEM_BUS_ADDRESS": "unix:path=/nonexistent/bus"})
    equal((result.status, result.out), (1, ""))
    contains(result.err, "cannot reach the system bus", "dbus.service")


def test_daemon_dies_while_a_client_waits(world):
    """A frozen daemon is a timeout; a daemon that is then killed is named as gone."""
    world.daemon.send_signal(signal.SIGSTOP)
    result = world.ctl("list", "--timeout", "1")
    equal((result.status, result.out), (124, ""))
    contains(result.err, "no answer", "1 s", "--timeout")

    results = []
    client = threading.Thread(target=lambda: results.append(world.ctl("list")))
    client.start()
    time.sleep(0.5)
    world.stop(signal.SIGKILL)
    client.join()
    equal((results[0].status, results[0].out), (1, ""))
    contains(results[0].err, "idxdvd", "systemctl" if "not running" in results[0].err
             else "journalctl")


harness.main(globals())
