#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""A host as one document, by idxdctl."""

import json
import os
import subprocess

import harness
from harness import DSA_TYPE, contains, equal

BDF = "0000:6a:01.0"
UUID = "11111111-1111-4111-8111-111111111111"
WANT = {"version": 1, "accelerators": [{"device": BDF, "host-wqs": 1, "pool-min": 0}],
        "mdevs": [{"uuid": UUID, "parent": BDF, "type": DSA_TYPE, "defined": True,
                   "labels": ["vm=a"], "running": True, "on": "wq0.1"}]}


def test_apply_assert_export(world):
    name = os.path.join(world.dir, "want.json")
    with open(name, "w", encoding="utf-8") as f:
        json.dump(WANT, f)
    nothing = world.ok("export").out
    result = world.ctl("assert", name)
    equal(result.status, 1, repr(result))
    contains(result.out, "adopt " + BDF, "start " + UUID)
    equal(world.ok("apply", "--dry-run", name).out, result.out)
    equal(world.ok("export").out, nothing, "a dry run changes nothing")
    contains(world.ok("apply", name).out, "start " + UUID)
    equal(world.ok("assert", name).out, "")
    text = world.ok("export").out
    equal(json.loads(text)["mdevs"][0]["on"], "wq0.1")

    with open(name, "w", encoding="utf-8") as f:
        json.dump({**WANT, "mdevs": WANT["mdevs"] + [
            {"uuid": UUID.replace("1111-", "2222-", 1), "parent": BDF, "type": DSA_TYPE,
             "running": True, "on": "wq0.9"}]}, f)
    result = world.ctl("apply", name)
    equal(result.status, 3, repr(result))
    contains(result.err, "wq0.9", "all was taken back")
    equal(world.ok("export").out, text, "byte by byte")

    result = world.ctl("apply", os.path.join(world.dir, "missing"))
    equal(result.status, 2, repr(result))
    with open(name, "w", encoding="utf-8") as f:
        f.write("{}")
    result = world.ctl("apply", name)
    equal(result.status, 2, repr(result))


@harness.on(harness.accelerator(), faults=[{"call": "mdev_create", "ms": 1000}])
def test_cancel(world):
    """What runs is said meanwhile; a cancelled apply is taken back whole."""
    equal(world.ctl("cancel").status, 3)
    equal(str(world.properties(harness.MANAGER)["Operation"]), "")
    nothing = world.ok("export").out
    name = os.path.join(world.dir, "want.json")
    with open(name, "w", encoding="utf-8") as f:
        json.dump({**WANT, "mdevs": [
            {"uuid": UUID.replace("1111-", f"{i}{i}{i}{i}-", 1), "parent": BDF, "type": DSA_TYPE,
             "running": True} for i in (1, 2, 3)]}, f)
    client = subprocess.Popen([harness.IDXDCTL, "apply", name], env=world.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    world.wait(lambda: world.properties(harness.MANAGER)["Operation"] == "apply, step 2 of 4",
               "the first create")
    other = subprocess.Popen([harness.IDXDCTL, "adopt", "--dry-run", "dsa0"], env=world.env,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    world.wait(lambda: world.properties(harness.MANAGER)["Waiting"] >= 1, "somebody who waits")
    world.ok("cancel")
    _, said = client.communicate(timeout=2 * harness.PATIENCE)
    equal(client.returncode, 1, said)
    contains(said, "it was cancelled", "all was taken back")
    other.communicate(timeout=2 * harness.PATIENCE)
    equal(world.ok("export").out, nothing)
    equal(world.ctl("cancel").status, 3)
    world.ok("apply", name)
    equal(len(world.mdevs()), 3)


def queue(number, group, driver, **more):
    return {"dev": f"wq0.{number}", "mode": "dedicated", "size": 16, "group_id": group,
            "priority": 10, "type": "user", "driver_name": driver, "name": "a", "threshold": 0,
            **more}


def accel_config(*queues):
    """As accel-config save-config writes it."""
    return [{"dev": "dsa0", "read_buffer_limit": 0, "groups": [
        {"dev": f"group0.{group}", "traffic_class_a": 0,
         "grouped_workqueues": [q for q in queues if q["group_id"] == group],
         "grouped_engines": [{"dev": f"engine0.{group}", "group_id": group}]}
        for group in (0, 1)]}]


def test_accel_config(world):
    name = os.path.join(world.dir, "accel-config.conf")

    def write(*queues):
        with open(name, "w", encoding="ascii") as f:
            json.dump(accel_config(*queues), f)
    write(queue(0, 0, "mdev"), queue(1, 1, "mdev"), queue(3, 1, "user"))
    result = world.ctl("apply", name)
    equal(result.status, 3, repr(result))
    contains(result.err, "dsa0", "not adopted")
    world.ok("adopt", "dsa0")
    uuid, _ = world.create()
    world.refresh()
    equal(world.ok("assert", name).out, "")
    write(queue(0, 0, "mdev"), queue(1, 1, "mdev"), queue(2, 0, "mdev"))
    contains(world.ok("apply", "--dry-run", name).out, "host-wqs 0 and pool-min 2")
    world.ok("apply", name)
    world.settled(free=1, pool=2, mdev_idle=1)
    equal(world.mdevs(), [uuid])
    text = world.ok("export").out
    for status, says, queues in (
            (1, "it is 16", [queue(0, 0, "mdev", size=32)]),
            (1, "shared", [queue(0, 0, "mdev", mode="shared")]),
            (5, "mdev " + uuid, [queue(0, 0, "user")]),
            (2, "twice", [queue(0, 0, "mdev"), queue(0, 0, "mdev")])):
        write(*queues)
        result = world.ctl("apply", name)
        equal((result.status, result.out), (status, ""), repr(result))
        contains(result.err, says)
        equal(world.ok("export").out, text, "byte by byte")


harness.main(globals())
