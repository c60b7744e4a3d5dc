#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the queues are and who has them, the same by every way of asking."""

import os

import harness
from harness import MANAGER, ROOT, contains, equal

UUID = "11111111-1111-4111-8111-111111111111"


def capacity(world):
    return dict(world.call("GetCapacity", signature="")[0])


def test_capacity_follows(world):
    world.adopt("dsa0")
    before = capacity(world)
    world.create(uuid=UUID)
    after = capacity(world)
    equal(int(after["Mdevs"]), 1)
    free = ("FreeNow", "Creatable")
    equal(sum(int(after[k]) for k in free), sum(int(before[k]) for k in free) - 1)
    shown = world.ok("capacity", "--json").json()["capacity"][0]
    equal(shown["mdevs"], 1)
    types = world.ok("types", "--json").json()["types"][0]
    equal(types["available"], shown["free_now"])
    contains(world.ok("capacity").out, "dsa0", "idxd-dsa-1dwq-v1")


def test_why_and_holders(world):
    world.adopt("dsa0")
    world.create(uuid=UUID, wq="wq0.0")
    contains(world.ok("why", "wq0.0").out, "mdev-idle", "to free it: idxdctl destroy")
    contains(world.ok("why", "wq0.1").out, "wq0.1 is", "can have it")
    equal(world.ok("holders", "--json").json()["holders"], [])
    result = world.ctl("why", "wq7.7")
    equal(result.status, 3, repr(result))
    result = world.ctl("holders", "wq7.7")
    equal(result.status, 3, repr(result))


def test_an_opener_is_named(world):
    world.stop()
    world.set_topology({"accelerators": [{}], "openers": [
        {"uuid": UUID, "pid": 4711, "comm": "qemu"}]})
    for name in os.listdir(world.state_dir):
        if name.startswith("simulated"):
            os.unlink(os.path.join(world.state_dir, name))
    world.start()
    world.adopt("dsa0")
    world.create(uuid=UUID, wq="wq0.0")
    held = world.ok("holders", "wq0.0", "--json").json()["holders"]
    equal([(h["kind"], h["pid"], h["command"], h["mdev"]) for h in held],
          [("vfio", 4711, "qemu", UUID)])
    contains(world.ok("why", "wq0.0").out, "mdev-in-use", "pid 4711 (qemu)", "unit qemu.service",
             "shut the virtual machine down")


harness.main(globals())
