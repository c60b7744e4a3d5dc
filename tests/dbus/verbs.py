#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What an administrator does with idxdctl, from adopt to release."""

import concurrent.futures
import re
import uuid as uuid_module

import harness
from harness import DSA_TYPE, SHARED_TYPE, accelerator, contains, equal, on

UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"


def test_placement(world):
    world.ok("adopt", "dsa0")
    contains(world.ok("create", "--placement", "spread", "--numa-node", "0", "--min-size", "1",
                      "--dry-run").out, "spread, best of")
    world.ok("create", "--placement", "pack")
    result = world.ctl("create", "--placement", "heap")
    equal(result.status, 2, repr(result))
    result = world.ctl("create", "--min-size", "65535")
    equal(result.status, 6, repr(result))


def queue_of(world, uuid):
    tree = world.ok("list", "--json").json()["accelerators"][0]
    name = next(m["wq"] for m in tree["mdevs"] if m["uuid"] == uuid)
    return next(o[harness.WORKQUEUE] for o in world.managed().values()
                if o.get(harness.WORKQUEUE, {}).get("Name") == name)


def settings(world, uuid):
    queue = queue_of(world, uuid)
    return tuple(int(queue[key]) for key in ("Priority", "MaxTransferSize", "MaxBatchSize"))


def test_settings(world):
    """Priority and limits of a queue: of a fresh one, of one of the pool, and gone with the mdev."""
    world.ok("adopt", "dsa0", "--host-wqs", "0")
    usual = world.ok("create").out.strip()
    equal(settings(world, usual), (10, 2 << 20, 32), "as usual")
    small = world.ok("create", "--priority", "3", "--max-transfer-size", "65536",
                     "--max-batch-size", "8").out.strip()
    equal(settings(world, small), (3, 65536, 8), "as asked for")
    pool = next(name for name, kind in world.settled(mdev_idle=2, pool=1, free=1).items()
                if kind == "pool")
    again = world.ok("create", "--wq", pool, "--priority", "15").out.strip()
    equal(settings(world, again), (15, 2 << 20, 32), "a queue of the pool")
    for uuid in (usual, small, again):
        world.ok("destroy", uuid)
    world.settled(free=3, pool=1)
    equal(settings(world, world.ok("create").out.strip()), (10, 2 << 20, 32), "afterwards")

    result = world.ctl("create", "--priority", "16")
    equal(result.status, 2, repr(result))
    result = world.ctl("create", "--max-transfer-size", "65537")
    contains(result.err, "max-transfer-size", "power of two")
    result = world.ctl("create", "--max-batch-size", "2048")
    contains(result.err, "batches of 1024 descriptors")


def test_whole_way(world):
    before = world.ok("list", "--json").out

    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)

    # stdout is exactly the UUID, so that a script may use it.
    uuid = world.ok("create", "--type", DSA_TYPE, "--parent", "dsa0").out.rstrip("\n")
    equal(str(uuid_module.UUID(uuid)), uuid, "UUID")
    equal(world.mdevs(), [uuid])
    world.settled(free=2, mdev_idle=1, pool=1)

    equal(world.ok("destroy", uuid).out, "")
    equal(world.mdevs(), [])
    world.settled(free=3, pool=1)

    world.ok("release", "dsa0")
    equal(world.ok("list", "--json").out, before, "after release")


def test_adopt_by_pci_address(world):
    world.ok("adopt", "0000:6a:01.0")
    equal(world.ok("status", "--json").json()["adopted"], 1)


def test_given_uuid_and_wq(world):
    world.ok("adopt", "dsa0", "--host-wqs", "0", "--pool-min", "0")
    out = world.ok("create", "-t", DSA_TYPE, "-p", "dsa0", "-u", UUID.upper(), "--wq", "wq0.2").out
    equal(out, UUID + "\n", "the UUID in its canonical form")
    tree = world.ok("list", "--json").json()["accelerators"][0]
    equal([(m["uuid"], m["wq"], m["type"], m["accelerator"], m["parent"])
           for m in tree["mdevs"]], [(UUID, "wq0.2", DSA_TYPE, "dsa0", "0000:6a:01.0")])
    queue = next(q for q in tree["work_queues"] if q["name"] == "wq0.2")
    equal((queue["class"], queue["holder"], queue["mdev"], queue["driver"], queue["mode"]),
          ("mdev-idle", UUID, UUID, "mdev", "dedicated"))


def test_defaults_pick_type_and_parent(world):
    world.ok("adopt", "dsa0")
    uuid = world.ok("create").out.strip()
    equal(world.mdevs(), [uuid])


@on(accelerator(kind="iax", address="0000:6a:02.0"))
def test_iax(world):
    world.ok("adopt", "iax0")
    uuid = world.ok("create", "-p", "iax0").out.strip()
    equal([m["type"] for m in world.ok("list", "--json").json()["accelerators"][0]["mdevs"]],
          ["idxd-iax-1dwq-v1"])
    world.ok("destroy", uuid)


def test_destroy_several(world):
    world.ok("adopt", "dsa0", "--host-wqs", "0")
    uuids = [world.ok("create").out.strip() for _ in range(4)]
    equal(sorted(world.mdevs()), sorted(uuids))
    world.ok("destroy", *uuids)
    equal(world.mdevs(), [])


def test_host_reservation(world):
    world.ok("adopt", "dsa0", "--host-wqs", "3")
    world.ok("create")
    equal(world.ctl("create").status, 6, "exit status when only reserved queues are left")


def test_pool_min(world):
    world.ok("adopt", "dsa0", "--host-wqs", "1", "--pool-min", "2")
    world.settled(free=2, pool=2)
    world.ok("create")
    world.settled(free=1, mdev_idle=1, pool=2)


def test_many_at_once(world):
    """Eight clients want a queue, three queues may be had: three get one each, five are told why."""
    world.ok("adopt", "dsa0", "--host-wqs", "1")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: world.ctl("create"), range(8)))
    equal(sorted(r.status for r in results), [0, 0, 0, 6, 6, 6, 6, 6], "exit statuses")
    uuids = sorted(r.out.strip() for r in results if r.status == 0)
    equal(sorted(world.mdevs()), uuids)
    equal(len(set(uuids)), 3, "different UUIDs")
    world.settled(free=1, mdev_idle=3)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda u: world.ctl("destroy", u), uuids * 2))
    equal(sorted(r.status for r in results), [0, 0, 0, 3, 3, 3], "each is destroyed once")
    world.settled(free=3, pool=1)


def test_types(world):
    equal([(t["type"], t["available"], t["creatable"])
           for t in world.ok("types", "--json").json()["types"]], [(DSA_TYPE, 0, 0), (SHARED_TYPE, 0, 0)])
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    entry = world.ok("types", "--json").json()["types"][0]
    equal((entry["device"], entry["parent"], entry["name"], entry["device_api"],
           entry["available"], entry["creatable"]),
          ("dsa0", "0000:6a:01.0", "Intel DSA 1DWQ", "vfio-pci", 1, 3))
    contains(world.ok("types").out, DSA_TYPE, "Intel DSA 1DWQ")


def test_dry_run_changes_nothing(world):
    before = world.ok("list", "--json").out
    contains(world.ok("adopt", "dsa0", "--dry-run").out, "wq0.0", "size")
    equal(world.ok("list", "--json").out, before, "after adopt --dry-run")

    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    before = world.ok("list", "--json").out
    contains(world.ok("create", "--uuid", UUID, "--dry-run").out, UUID)
    equal(world.ok("list", "--json").out, before, "after create --dry-run")

    world.ok("create", "--uuid", UUID)
    world.settled(free=2, mdev_idle=1, pool=1)
    before = world.ok("list", "--json").out
    contains(world.ok("destroy", UUID, "--dry-run").out, UUID)
    equal(world.ok("list", "--json").out, before, "after destroy --dry-run")


def test_adopt_again_is_harmless(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "--uuid", UUID)
    before = world.settled(free=2, mdev_idle=1, pool=1)
    world.ctl("adopt", "dsa0")
    equal(world.classes(), before)
    equal(world.mdevs(), [UUID])


@on(accelerator(enabled=True, engine_groups=[0, 0], queues=[
    {"id": 0, "size": 16, "group": 0, "mode": "shared", "type": "kernel", "name": "dmaengine",
     "driver-name": "dmaengine", "driver": "dmaengine", "priority": 10, "clients": 1},
    {"id": 1, "size": 16, "group": 0, "mode": "dedicated", "type": "user", "name": "app",
     "driver-name": "user", "driver": "user", "priority": 10, "clients": 1, "pid": 4711,
     "comm": "dpdk-test"},
    {"id": 2, "size": 16, "group": 0, "mode": "dedicated"}]))
def test_beside_the_host(world):
    """A device that the host has enabled: its queues are shown with their holders and left alone."""
    queues = {q["name"]: q for q in
              world.ok("list", "--json").json()["accelerators"][0]["work_queues"]}
    equal({n: q["class"] for n, q in queues.items()},
          {"wq0.0": "host-kernel", "wq0.1": "host-user", "wq0.2": "free", "wq0.3": "free"})
    contains(queues["wq0.0"]["holder"], "dmaengine")
    contains(queues["wq0.1"]["holder"], "4711", "dpdk-test")

    world.ok("adopt", "dsa0", "--host-wqs", "0")
    world.ok("create", "--uuid", UUID)
    now = {q["name"]: q for q in
           world.ok("list", "--json").json()["accelerators"][0]["work_queues"]}
    equal((now["wq0.0"], now["wq0.1"]), (queues["wq0.0"], queues["wq0.1"]), "the host's queues")
    equal((now["wq0.2"]["class"], now["wq0.2"]["holder"]), ("mdev-idle", UUID))

    world.ok("destroy", UUID)
    world.ok("release", "dsa0")
    after = {q["name"]: q for q in
             world.ok("list", "--json").json()["accelerators"][0]["work_queues"]}
    equal(after, queues, "after release")


def test_table_fits_80_columns(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "--uuid", UUID)
    for verb in ("list", "types", "status"):
        out = world.ok(verb).out
        long = [line for line in out.splitlines() if len(line) > 80]
        equal(long, [], f"lines of '{verb}' over 80 columns")
    out = world.ok("list").out
    contains(out, "dsa0", "0000:6a:01.0", "adopted", "mdev-idle")
    if not re.search(rf"^{UUID} +{DSA_TYPE} +dsa0 +wq0\.\d +idle$", out, re.M):
        raise AssertionError(f"no row for the mdev in:\n{out}")


@on()
def test_no_hardware_is_not_an_error_for_list(world):
    result = world.ctl("list")
    equal((result.status, result.out), (0, ""))
    contains(result.err, "no DSA or IAA accelerator", "idxd")
    equal(world.ok("list", "--json").json()["accelerators"], [])


def test_status(world):
    world.ok("adopt", "dsa0")
    world.ok("create")
    status = world.ok("status", "--json").json()
    equal({k: status[k] for k in ("accelerators", "adopted", "work_queues", "mdevs", "simulated",
                                  "module_loaded")},
          {"accelerators": 1, "adopted": 1, "work_queues": 4, "mdevs": 1, "simulated": True,
           "module_loaded": True})
    contains(world.ok("status").out, status["version"], "1 mdev-idle", "simulated hardware")


harness.main(globals())
