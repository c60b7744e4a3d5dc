#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mdevs that share a work queue: who is on it, how many fit, what is refused, what survives."""

import json
import os

import harness
from harness import DSA_TYPE, NAME, SHARED_TYPE, accelerator, contains, equal, on, refused

ERROR = NAME + ".Error."
UUIDS = [f"{i:08x}-0000-4000-8000-000000000000" for i in range(1, 6)]


def again(world, topology, policy=None):
    """A daemon on another machine."""
    world.stop()
    world.set_topology(topology)
    for name in os.listdir(world.state_dir):
        if name.startswith("simulated"):
            os.unlink(os.path.join(world.state_dir, name))
    if policy:
        with open(os.path.join(world.state_dir, "policy.json"), "w", encoding="ascii") as f:
            json.dump(policy, f)
    world.start()


def share(world, uuid, **options):
    return world.create(mdev_type=SHARED_TYPE, uuid=uuid, **options)


def places(world):
    world.refresh()
    return {str(o[harness.MDEV]["Uuid"]): str(o[harness.MDEV]["WorkQueue"]).split("/")[-1].replace("_2e", ".")
            for o in world.managed().values() if harness.MDEV in o}


def room(world):
    return [row["room"] for row in world.ok("capacity", "--json").json()["capacity"]]


def test_come_and_go(world):
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    before = room(world)
    equal(before, [3, 3 * 128])
    for uuid in UUIDS[:3]:
        share(world, uuid)
    equal(len(set(places(world).values())), 1, "one queue")
    world.settled(free=2, pool=1, mdev_idle=1)
    equal(room(world), [2, 3 * 128 - 3])
    queues = {q["name"]: q for q in world.ok("list", "--json").json()["accelerators"][0]["work_queues"]}
    wq = [name for name, q in queues.items() if q["class"] == "mdev-idle"][0]
    equal([queues[wq][key] for key in ("mode", "sharers", "holder")], ["shared", 3, "3 mdevs"])
    out = world.ok("why", wq).out
    contains(out, f"an mdev of type {SHARED_TYPE} can have a part of it, as 3 of at most 128 have",
             *UUIDS[:3])
    refused(ERROR + "InUse", ["3 mdevs are on it"], world.release, "dsa0")
    refused(ERROR + "MdevIdle", ["3 mdevs"], world.create, wq=wq)
    types = {t["type"]: t["available"] for t in world.ok("types", "--json").json()["types"]}
    equal(types, {DSA_TYPE: 1, SHARED_TYPE: 125})

    world.stop()
    world.start()
    equal(sorted(places(world)), UUIDS[:3], "after a restart")
    for uuid in UUIDS[:3]:
        world.settled(free=2, pool=1, mdev_idle=1)
        world.destroy(uuid)
    world.settled(free=3, pool=1)
    equal(room(world), before)


def test_policy_bounds_them(world):
    again(world, harness.topology(accelerator()), {"version": 1, "max-sharers": 2})
    world.ok("adopt", "dsa0", "--host-wqs", "2", "--pool-min", "0")
    for uuid in UUIDS[:4]:
        share(world, uuid)
    at = places(world)
    equal(sorted(list(at.values()).count(wq) for wq in set(at.values())), [2, 2])
    refused(ERROR + "NoCapacity", ["2 mdevs"], share, world, UUIDS[4])
    refused(ERROR + "NoCapacity", ["2 of at most 2"], share, world, UUIDS[4], wq=at[UUIDS[0]])
    contains(world.ok("why", at[UUIDS[0]]).out, "2 mdevs share it, of at most 2", "destroy one")
    world.destroy(UUIDS[0])
    share(world, UUIDS[4])
    equal(places(world)[UUIDS[4]], at[UUIDS[0]], "the seat that is free")


def test_the_erratum(world):
    again(world, harness.topology(accelerator(device="0b25")))
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    refused(ERROR + "UnsafeDevice", ["CVE-2024-21823", "1swq"], world.create)
    contains(world.ok("why", "wq0.0").out, f"an mdev of type {SHARED_TYPE} can have a part of it")
    uuid, _ = share(world, UUIDS[0])
    equal(room(world), [0, 3 * 128 - 1])
    world.destroy(uuid)
    world.settled(free=3, pool=1)


def test_what_is_missing_is_named(world):
    for keys, hardware, reason in (({"enqcmd": False}, {}, "no ENQCMDS"),
                                   ({}, {"ims": False}, "no IMS"),
                                   ({"max-sharers": 0}, {}, "idxd_mdev lets no mdevs share")):
        again(world, harness.topology(accelerator(**hardware), **keys))
        world.ok("adopt", "dsa0")
        refused(ERROR + "NotSupported", [reason], share, world, UUIDS[0])
        world.create(uuid=UUIDS[0])
        equal(room(world)[1], 0, reason)
        world.destroy(UUIDS[0])
        world.ok("release", "dsa0")


@on(accelerator(wqs=3))
def test_definitions_and_documents(world):
    world.ok("adopt", "dsa0", "--host-wqs", "0")
    for uuid in UUIDS[:3]:
        world.define(mdev_type=SHARED_TYPE, uuid=uuid, parent="0000:6a:01.0")
        world.ok("start", uuid)
    share(world, UUIDS[3], wq="wq0.2")
    at = places(world)
    document = world.call("Export", signature="")
    for uuid in UUIDS[:2]:
        world.ok("stop", uuid)
    for uuid in UUIDS[:2]:
        world.ok("start", uuid)
    equal(places(world), at, "the same UUIDs on the same queue")
    for uuid in UUIDS[:4]:
        world.destroy(uuid)
    world.call("Apply", document, {}, signature="sa{sv}")
    equal(places(world), at, "by a document")
    equal(len(world.call("Apply", document, {}, signature="sa{sv}")), 0, "and nothing is to do")


harness.main(globals())
