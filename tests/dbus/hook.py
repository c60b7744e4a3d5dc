#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's hook, replayed: every operation in right and wrong order, twice, and with the daemon dead."""

import itertools
import os
import signal
import subprocess

import harness
from harness import BUILD, DSA_TYPE, PATIENCE, accelerator, contains, equal, on

HOOK = os.path.join(BUILD, "idxdvd-libvirt-hook")
DOMAIN = "3c1e5ee9-8f1d-4d0b-9e2a-0c1f6b7a8d01"
OTHER_DOMAIN = "3c1e5ee9-8f1d-4d0b-9e2a-0c1f6b7a8d02"
UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"
SECOND = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b12"

# What libvirt calls, with what, in the order of a life; then the ones that come apart from that.
OPERATIONS = (("prepare", "begin", "-"), ("start", "begin", "-"), ("started", "begin", "-"),
              ("stopped", "end", "-"), ("release", "end", "shutdown"), ("migrate", "begin", "-"),
              ("restore", "begin", "-"), ("reconnect", "begin", "-"), ("attach", "begin", "-"))
LIFE = OPERATIONS[:5]
METADATA = f'type="{DSA_TYPE}" mode="dedicated" min-size="1" numa-node="0"'


def domain(*uuids, metadata=METADATA, name=DOMAIN, extra=""):
    described = "".join(f'<i:mdev uuid="{u}" {metadata}/>' for u in uuids) if metadata else ""
    devices = "".join(f"""
    <hostdev mode='subsystem' type='mdev' managed='no' model='vfio-pci'>
      <source><address uuid='{u}'/></source>
    </hostdev>""" for u in uuids)
    return f"""<domain type='kvm' id='1'>
  <name>guest</name>
  <uuid>{name}</uuid>
  <metadata><i:mdevs xmlns:i="urn:idxdvd:libvirt:1">{described}</i:mdevs></metadata>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>{devices}
    <hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0'/></source></hostdev>
  </devices>{extra}
</domain>
"""


def hook(world, operation, xml):
    """Its status and what it says on stderr; on stdout a filter would speak, so there nothing."""
    done = subprocess.run([HOOK, "guest", *operation], input=xml, capture_output=True, text=True,
                          env={**world.env, "IDXDVD_HOOK_ROOT": world.dir}, timeout=PATIENCE,
                          check=False)
    equal(done.stdout, "", f"stdout of {operation[0]}")
    return done.returncode, done.stderr


def ok(world, operation, xml):
    equal(hook(world, operation, xml), (0, ""), " ".join(operation))


def notes(world):
    folder = os.path.join(world.dir, "run", "idxdvd-libvirt")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def begin(world, **options):
    os.makedirs(os.path.join(world.dir, "run"), exist_ok=True)
    world.adopt("dsa0", **options)


def test_life_twice(world):
    begin(world)
    for _ in range(2):
        for n, operation in enumerate(LIFE):
            ok(world, operation, domain(UUID))
            equal(world.mdevs(), [UUID] if n < 4 else [], f"after {operation[0]}")
    equal(notes(world), [])


def test_any_order_each_twice(world):
    """All pairs: there is an mdev exactly if the last of prepare and release was prepare."""
    begin(world)
    there = False
    for pair in itertools.product(OPERATIONS, repeat=2):
        for operation in (pair[0], pair[0], pair[1], pair[1]):
            ok(world, operation, domain(UUID))
            there = {"prepare": True, "release": False}.get(operation[0], there)
        equal(world.mdevs(), [UUID] if there else [], f"after {pair[0][0]}, {pair[1][0]}")


def test_dead_daemon(world):
    """Only a start that needs an mdev that is not there fails."""
    begin(world)
    ok(world, LIFE[0], domain(UUID))
    world.stop(signal.SIGKILL)
    os.makedirs(os.path.join(world.dir, "sys/bus/mdev/devices", UUID))
    for _ in range(2):
        for operation in OPERATIONS:
            status, said = hook(world, operation, domain(UUID))
            equal(status, 0, f"{operation[0]}, the mdev is there")
            if operation[0] == "release":
                contains(said, UUID)
            else:
                equal(said, "")
    equal(notes(world), [UUID], "what is still to be taken away")

    os.rmdir(os.path.join(world.dir, "sys/bus/mdev/devices", UUID))
    for operation in OPERATIONS * 2:
        status, said = hook(world, operation, domain(SECOND))
        equal(status, 1 if operation[0] == "prepare" else 0, f"{operation[0]}, it is not there")
        if status:
            contains(said, SECOND)
        # Whose it is cannot be known: libvirt says that it is missing.
        equal(hook(world, operation, domain(SECOND, metadata=None))[0], 0, "not described")
    equal(notes(world), [UUID])

    # The next life takes up what the last one could not end.
    world.start()
    ok(world, LIFE[4], domain(UUID))
    equal((world.mdevs(), notes(world)), ([], []))


def test_no_bus(world):
    world.env["DBUS_SYSTEM_BUS_ADDRESS"] = "unix:path=/nonexistent"
    os.makedirs(os.path.join(world.dir, "run"))
    for operation in OPERATIONS:
        equal(hook(world, operation, domain(UUID))[0], int(operation[0] == "prepare"), operation[0])
    equal(notes(world), [])


def test_what_others_made_stays(world):
    begin(world)
    world.ok("create", "--uuid", UUID)
    for operation in LIFE * 2:
        ok(world, operation, domain(UUID))
        equal(world.mdevs(), [UUID], operation[0])


def test_definition_comes_first(world):
    begin(world)
    world.ok("define", "--uuid", UUID, "--parent", "dsa0", "--wq", "wq0.2")
    for metadata in (None, METADATA):
        ok(world, LIFE[0], domain(UUID, metadata=metadata))
        equal([m["wq"] for m in world.ok("list", "--json").json()["accelerators"][0]["mdevs"]],
              ["wq0.2"])
        ok(world, LIFE[4], domain(UUID, metadata=metadata))
        equal(world.mdevs(), [])
    world.ok("modify", UUID, "--wq", "wq0.3")
    status, said = hook(world, LIFE[0], domain(UUID, metadata=None))
    equal(status, 1, "a queue that is kept for the host")
    contains(said, UUID, "wq0.3", "kept for the host")
    equal([d["uuid"] for d in world.ok("list", "--json").json()["definitions"]], [UUID])


def test_two_domains_one_mdev(world):
    begin(world)
    ok(world, LIFE[0], domain(UUID))
    ok(world, LIFE[0], domain(UUID, name=OTHER_DOMAIN))
    ok(world, LIFE[4], domain(UUID, name=OTHER_DOMAIN))
    equal(world.mdevs(), [UUID], "the first domain still has it")
    ok(world, LIFE[4], domain(UUID))
    equal(world.mdevs(), [])


@on(accelerator(wqs=2))
def test_all_or_nothing(world):
    begin(world)
    status, said = hook(world, LIFE[0], domain(UUID, SECOND))
    equal(status, 1)
    contains(said, SECOND, "all work queues are taken")
    equal((world.mdevs(), notes(world)), ([], []), "after a start that failed")
    ok(world, LIFE[4], domain(UUID, SECOND))


def test_not_ours(world):
    """An mdev of another kind that does not exist yet: nothing is said, nothing is made."""
    begin(world)
    for operation in OPERATIONS:
        ok(world, operation, domain(UUID, metadata=None))
    equal((world.mdevs(), notes(world)), ([], []))


@on(accelerator(), faults=[{"call": "mdev_create", "ms": 7000, "times": 1}])
def test_slow_daemon(world):
    """The time limit fails the start; what comes into being after it goes with release."""
    begin(world)
    status, said = hook(world, LIFE[0], domain(UUID))
    equal(status, 1)
    contains(said, UUID)
    equal(notes(world), [UUID])
    world.wait(lambda: world.mdevs() == [UUID], "the mdev that nobody waits for")
    ok(world, LIFE[4], domain(UUID))
    equal((world.mdevs(), notes(world)), ([], []))


BAD = (
    ("no XML", "mdev"),
    ("no domain", "<mdev/>"),
    ("no UUID", "<domain><devices><hostdev type='mdev'/></devices></domain>"),
    ("a bad UUID", domain("6f0c1a52-94a8")),
    ("no such mode", domain(UUID, metadata=f'type="{DSA_TYPE}" mode="shared"')),
    ("the mode of the other type", domain(UUID, metadata='type="idxd-dsa-1swq-v1" mode="dedicated"')),
    ("no type", domain(UUID, metadata='mode="dedicated"')),
    ("no number", domain(UUID, metadata=f'type="{DSA_TYPE}" min-size="many"')),
    ("an unknown wish", domain(UUID, metadata=f'type="{DSA_TYPE}" color="red"')),
    ("cut off", domain(UUID)[:-20]),
    ("too long", domain(UUID, extra=f"<!--{'x' * (8 << 20)}-->")),
)


def test_bad_domains(world):
    """No operation but prepare fails for them: a guest that runs goes on running."""
    begin(world)
    for what, xml in BAD:
        for operation in OPERATIONS:
            status, said = hook(world, operation, xml)
            equal(status, int(operation[0] == "prepare"), f"{what}: {operation[0]}")
            if status:
                contains(said, "idxdvd: the domain")
    equal((world.mdevs(), notes(world)), ([], []))


def test_entities_are_not_followed(world):
    begin(world)
    xml = domain(UUID, extra="<title>&a;</title>")
    xml = f'<!DOCTYPE domain [<!ENTITY a SYSTEM "file://{world.dir}/nothing">]>' + xml
    ok(world, LIFE[0], xml)
    equal(world.mdevs(), [UUID])


def test_domain_without_mdevs(world):
    """Nothing is read from it, nothing asked: not even a dead daemon counts."""
    world.stop(signal.SIGKILL)
    for operation in OPERATIONS:
        for xml in ("<domain>", "", "\0" * 100000):
            ok(world, operation, xml)


def test_odd_arguments(world):
    for args in ((), ("guest",), ("guest", "prepare"), ("guest", "prepare", "end", "-"),
                 ("guest", "unknown", "begin", "-"), ("-", "-", "-", "-")):
        done = subprocess.run([HOOK, *args], input=domain(UUID), capture_output=True, text=True,
                              env=world.env, check=False)
        equal((done.returncode, done.stdout, done.stderr), (0, "", ""), repr(args))


harness.main(globals())
