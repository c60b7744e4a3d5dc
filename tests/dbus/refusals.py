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


def check_parts(text, obj, reason, remedy, holder=()):
    """OBJECT: reason; held by holder; remedy. In that order, and none may stand for another."""
    equal(text.split(": ", 1)[0], obj, f"object of {text!r}")
    at = len(obj) + 2
    for part in (reason, *holder, remedy):
        found = text.lower().find(part.lower(), at)
        if not part or found < 0:
            raise AssertionError(f"{part!r} is not in {text[at:]!r}, which is the rest of {text!r}")
        at = found + len(part)
    between = text[text.lower().find(reason.lower()):text.lower().rfind(remedy.lower())]
    contains(between, "; ")
    equal("; held by " in text, bool(holder), f"a holder in {text!r}")


def both(world, error, status, parts, verb, call, holder=()):
    """The same refusal through idxdctl (list of arguments) and over D-Bus (function).

    Parts: the object, some of the reason, some of the remedy. Holder: parts of it, in order.
    """
    obj, reason, remedy = parts
    before = world.ok("list", "--json").out
    message = refused(error, [], call)
    check_parts(message, obj, reason, remedy, holder)
    result = world.ctl(*verb)
    equal((result.status, result.out), (status, ""), f"exit status and stdout ({result.err!r})")
    contains(result.err, "idxdctl: ", message)
    equal(result.err.count("\n"), 1, "lines on stderr")
    equal(world.ok("list", "--json").out, before, "the machine after the refusal")
    return message


def test_no_such_device(world):
    both(world, ERROR + "NoSuchDevice", 3, ["dsa7", "no such accelerator", "idxdctl list"],
         ["adopt", "dsa7"], lambda: world.adopt("dsa7"))
    both(world, ERROR + "NoSuchDevice", 3, ["0000:ff:01.0", "no such accelerator", "idxdctl list"],
         ["release", "0000:ff:01.0"], lambda: world.release("0000:ff:01.0"))
    both(world, ERROR + "NoSuchDevice", 3, ["dsa7", "no such accelerator", "idxdctl list"],
         ["create", "-p", "dsa7"], lambda: world.create(parent="dsa7"))


@on()
def test_no_device_at_all(world):
    both(world, ERROR + "NoSuchDevice", 3, ["dsa0", "no such accelerator", "load idxd"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(accelerator(), module=False)
def test_no_module(world):
    both(world, ERROR + "NoModule", 1, ["dsa0", "idxd_mdev is not loaded", "modprobe idxd_mdev"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(taken=[{"address": "0000:6f:01.0", "driver": "vfio-pci", "pid": 4711, "comm": "qemu"},
           {"address": "0000:75:01.0"}])
def test_another_driver_has_it(world):
    for verb, call in ((["adopt", "0000:6f:01.0"], lambda: world.adopt("0000:6f:01.0")),
                       (["create"], world.create)):
        both(world, ERROR + "DeviceTaken", 5,
             ["0000:6f:01.0", "the driver vfio-pci has it, not idxd", "bind it to idxd"],
             verb, call, holder=["pid 4711 (qemu)"])
    both(world, ERROR + "DeviceTaken", 5, ["0000:75:01.0", "no driver has it", "bind it to idxd"],
         ["create", "-p", "0000:75:01.0"], lambda: world.create(parent="0000:75:01.0"))
    held = world.ok("holders", "--json").json()["holders"]
    equal(sorted((h["device"], h["kind"], h["driver"], h["pid"], h["wq"]) for h in held),
          [("0000:6f:01.0", "device", "vfio-pci", 4711, ""), ("0000:75:01.0", "device", "", 0, "")])
    contains(world.ok("holders").out, "0000:6f:01.0 device  vfio-pci  pid 4711 (qemu)", "no driver")


QUEUES = [{"id": n, "size": 16, "group": 0} for n in range(3)]


def without_the_module(enabled, accelerator):
    """Adopted; then the machine boots without the module, with the device on or off."""
    @on(accelerator)
    def test(world):
        world.ok("adopt", "dsa0")
        world.stop()
        os.unlink(os.path.join(world.state_dir, "simulated-hardware.json"))
        world.set_topology(harness.topology(accelerator, module=False))
        world.start()
        shown = world.ok("list", "--json").json()["accelerators"][0]
        equal((shown["adopted"], shown["state"]), (True, "enabled" if enabled else "disabled"))
        for verb, call in ((["create", "-p", "dsa0"], lambda: world.create(parent="dsa0")),
                           (["create"], world.create)):
            both(world, ERROR + "NoModule", 1,
                 ["dsa0", "idxd_mdev is not loaded", "modprobe idxd_mdev"], verb, call)
    return test


test_create_without_module = without_the_module(
    True, accelerator(enabled=True, engine_groups=[0, 0], queues=QUEUES))
test_create_without_module_off = without_the_module(False, accelerator())


def test_adopted_already(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    both(world, ERROR + "Exists", 5,
         ["dsa0", "adopted already, with host-wqs 1 and pool-min 1", "release it first"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(accelerator(iommu=False, pasid=False))
def test_no_iommu(world):
    both(world, ERROR + "NoIommu", 1, ["dsa0", "not behind an IOMMU", "intel_iommu=on"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


@on(accelerator(pasid=False))
def test_no_scalable_mode(world):
    both(world, ERROR + "NoIommu", 1, ["dsa0", "scalable mode", "sm_on"],
         ["adopt", "dsa0"], lambda: world.adopt("dsa0"))


def test_not_adopted(world):
    both(world, ERROR + "NotAdopted", 3, ["dsa0", "not adopted", "idxdctl adopt"],
         ["create", "-p", "dsa0"], lambda: world.create(parent="dsa0"))
    both(world, ERROR + "NotAdopted", 3, ["dsa0", "not adopted", "idxdctl adopt it first"],
         ["release", "dsa0"], lambda: world.release("dsa0"))
    both(world, ERROR + "NotAdopted", 3, ["dsa0", "not adopted", "idxdctl adopt"],
         ["create"], lambda: world.create())


def test_work_queues_used_up(world):
    world.ok("adopt", "dsa0", "--host-wqs", "1")
    uuids = [world.ok("create").out.strip() for _ in range(3)]
    world.settled(free=1, mdev_idle=3)
    both(world, ERROR + "NoCapacity", 6,
         ["dsa0", "all work queues are taken",
          "release the device and adopt it with fewer host-wqs"],
         ["create", "-p", "dsa0"], lambda: world.create(parent="dsa0"),
         holder=["wq0.0: mdev ", "kept for the host"])
    world.ok("destroy", uuids[1])
    world.ok("create", "-p", "dsa0")


def unsafe(device):
    @on(accelerator(device=device, kind="dsa" if device == "0b25" else "iax"))
    def test(world):
        name = "dsa0" if device == "0b25" else "iax0"
        mdev_type = f"idxd-{name[:3]}-1dwq-v1"
        world.ok("adopt", name)
        world.refresh()
        both(world, ERROR + "UnsafeDevice", 7,
             [name, f"8086:{device} is under an erratum (CVE-2024-21823)", "without the erratum"],
             ["create", "-p", name], lambda: world.create(mdev_type, parent=name))
        equal(world.ok("types", "--json").json()["types"][0]["creatable"], 0)
        both(world, ERROR + "UnsafeDevice", 7,
             [name, "loaded without allow_unsafe=1", "load it with allow_unsafe=1"],
             ["trust", name],
             lambda: world.call("AllowUnsafe", name, {}, signature="sa{sv}"))
        shown = world.ok("list", "--json").json()["accelerators"][0]
        equal((shown["unsafe"], shown["erratum"]), (True, "CVE-2024-21823"))
        contains(world.ok("list").out, "UNSAFE", "CVE-2024-21823")
    return test


test_erratum_dsa = unsafe("0b25")
test_erratum_iax = unsafe("0cfe")


@on(accelerator(), accelerator(address="0000:6f:01.0", device="0b25"), **{"allow-unsafe": True})
def test_no_erratum(world):
    def trust(device):
        return lambda: world.call("AllowUnsafe", device, {}, signature="sa{sv}")
    both(world, ERROR + "NotSupported", 1, ["dsa0", "no erratum", "create mdevs"],
         ["trust", "dsa0"], trust("dsa0"))
    both(world, ERROR + "NotAdopted", 3, ["dsa1", "not adopted", "idxdctl adopt"],
         ["trust", "dsa1"], trust("dsa1"))
    world.ok("adopt", "dsa1", "--pool-min", "0")
    world.refresh()
    both(world, ERROR + "Failed", 1, ["dsa1", "none of its queues", "pool-min of 1"],
         ["trust", "dsa1"], trust("dsa1"))


def test_bad_uuid(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    for bad in ("not-a-uuid", UUID[:-1], UUID + "0", UUID.replace("-", ""),
                "00000000-0000-0000-0000-000000000000", "../../etc/passwd"):
        both(world, ERROR + "InvalidUuid", 2, [bad, "not a UUID", "8-4-4-4-12"],
             ["create", "-u", bad], lambda b=bad: world.create(uuid=b))
    both(world, ERROR + "NoSuchMdev", 3, ["nonsense", "no such mdev", "idxdctl list"],
         ["destroy", "nonsense"], lambda: world.destroy("nonsense"))


def test_no_such_mdev(world):
    both(world, ERROR + "NoSuchMdev", 3, [UUID, "no such mdev", "idxdctl list"],
         ["destroy", UUID], lambda: world.destroy(UUID))


def test_uuid_exists(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "-u", UUID)
    world.settled(free=2, mdev_idle=1, pool=1)
    both(world, ERROR + "Exists", 5,
         [UUID, f"exists, of type {DSA_TYPE} on 0000:6a:01.0", "another UUID"],
         ["create", "-u", UUID], lambda: world.create(uuid=UUID), holder=["wq0."])


def test_bad_type(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    both(world, ERROR + "NoSuchType", 3, ["idxd-dsa-9dwq-v1", "no such mdev type", DSA_TYPE],
         ["create", "-t", "idxd-dsa-9dwq-v1"], lambda: world.create("idxd-dsa-9dwq-v1"))
    both(world, ERROR + "NoSuchType", 3,
         ["idxd-iax-1dwq-v1", "not a type of dsa0", "a parent of the right kind"],
         ["create", "-t", "idxd-iax-1dwq-v1", "-p", "dsa0"],
         lambda: world.create("idxd-iax-1dwq-v1", parent="dsa0"))


def test_bad_work_queue(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    both(world, ERROR + "NoSuchWorkQueue", 3, ["wq0.9", "no such work queue", "idxdctl list"],
         ["create", "--wq", "wq0.9"], lambda: world.create(wq="wq0.9"))
    uuid = world.ok("create").out.strip()
    classes = world.settled(free=2, mdev_idle=1, pool=1)
    taken = next(n for n, c in classes.items() if c == "mdev-idle")
    both(world, ERROR + "MdevIdle", 5, [taken, "cannot be used (mdev-idle)", "another work queue"],
         ["create", "--wq", taken], lambda: world.create(wq=taken), holder=["mdev " + uuid])


def test_release_while_mdevs_exist(world):
    world.ok("adopt", "dsa0", "--host-wqs", "0")
    world.ok("create", "-u", UUID)
    world.ok("create", "-u", OTHER)
    world.settled(free=1, mdev_idle=2, pool=1)
    both(world, ERROR + "InUse", 5, ["dsa0", "2 mdevs are on it", "destroy them first"],
         ["release", "dsa0"], lambda: world.release("dsa0"), holder=[UUID, OTHER])


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
        raise harness.Skipped("busctl is not installed")
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
        raise harness.Skipped("not root, so there is no stranger to play")
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


def start_badly(world, *args, prefix=()):
    """A daemon that must not come up; what it says. No file of this machine has a say in it."""
    done = subprocess.run([*prefix, harness.IDXDVD, "--policy", "/nonexistent", *args],
                          env=world.env, capture_output=True, text=True, timeout=harness.PATIENCE)
    equal((done.returncode, done.stdout), (1, ""), f"exit status and stdout ({done.stderr!r})")
    return done.stderr


def test_second_daemon(world):
    said = start_badly(world, "--simulate", world.topology_file, "--state-dir", world.state_dir)
    contains(said, world.state_dir + ": another idxdvd uses it; ", "stop that one", "--state-dir")
    world.ok("adopt", "dsa0")


def test_state_directory_unusable_stopped(world):
    below = os.path.join(world.topology_file, "state")
    contains(start_badly(world, "--state-dir", below),
             below + ": cannot be used as the state directory: Not a directory; ", "--state-dir")


def test_state_directory_forbidden_stopped(world):
    locked = os.path.join(world.dir, "locked")
    os.mkdir(locked, 0)
    prefix = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    try:
        said = start_badly(world, "--state-dir", locked, prefix=prefix)
    finally:
        os.rmdir(locked)
    contains(said, locked + ": cannot be used as the state directory: Permission denied; ",
             "run idxdvd as root", "--state-dir")


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
