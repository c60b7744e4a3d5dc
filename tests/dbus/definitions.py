#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Definitions as clients, idxdctl and mdevctl meet them."""

import json
import os

import harness
from harness import DEFINITION, DSA_TYPE, MANAGER, MDEV, ROOT, contains, equal

BDF = "0000:6a:01.0"
UUID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def path_of(world, uuid=UUID):
    return os.path.join(world.state_dir, "mdevctl.d", BDF, uuid)


def test_life_with_idxdctl(world):
    world.ok("adopt", "dsa0")
    equal(world.ok("define", "--uuid", UUID, "--parent", "dsa0", "--auto", "--label", "vm=a").out,
          UUID + "\n")
    with open(path_of(world), encoding="utf-8") as f:
        equal(json.load(f), {"mdev_type": DSA_TYPE, "start": "auto", "attrs": []})
    contains(world.ok("list").out, "vm=a")
    equal(world.ok("status", "--json").json()["definitions"], 1)
    world.ok("modify", UUID, "--wq", "wq0.2", "--manual", "--label", "vm=", "--label", "x=1")
    with open(path_of(world), encoding="utf-8") as f:
        equal(json.load(f), {"mdev_type": DSA_TYPE, "start": "manual", "attrs": [{"wq": "wq0.2"}]})
    contains(world.ok("start", "--dry-run", UUID).out, "wq0.2")
    world.ok("start", UUID)
    tree = world.ok("list", "--json").json()
    equal([m["wq"] for m in tree["accelerators"][0]["mdevs"]], ["wq0.2"])
    equal(tree["definitions"], [{"uuid": UUID, "parent": BDF, "type": DSA_TYPE, "wq": "wq0.2",
                                 "autostart": False, "labels": ["x=1"]}])
    result = world.ctl("start", UUID)
    equal(result.status, 5, repr(result))
    world.ok("stop", UUID)
    world.ok("undefine", UUID)
    equal(os.path.exists(path_of(world)), False, "the file is gone")
    result = world.ctl("start", UUID)
    equal(result.status, 3, repr(result))
    contains(result.err, "there is no definition")
    equal(world.ctl("define", "--auto", "--manual").status, 2)


def test_objects_and_signals(world):
    world.adopt("dsa0")
    uuid, path = world.define(labels=["a=b"])
    objects = world.managed()
    equal(sorted(objects[path]), [DEFINITION], "defined only")
    equal(objects[path][DEFINITION]["Labels"], ["a=b"])
    world.call("Start", uuid, {}, signature="sa{sv}")
    equal(sorted(world.managed()[path]), [DEFINITION, MDEV], "runs as well")
    equal(bool(world.properties(MDEV, path)["Persisted"]), True)
    world.call("Undefine", uuid, {}, signature="sa{sv}")
    equal(sorted(world.managed()[path]), [MDEV], "runs only")
    equal(bool(world.properties(MDEV, path)["Persisted"]), False)
    world.call("Stop", uuid, {}, signature="sa{sv}")
    equal(path in world.managed(), False)


def test_edits_of_others(world):
    world.adopt("dsa0")
    os.makedirs(os.path.dirname(path_of(world)), exist_ok=True)
    with open(path_of(world), "w", encoding="utf-8") as f:
        json.dump({"mdev_type": DSA_TYPE, "start": "manual", "attrs": []}, f)
    with open(path_of(world, OTHER), "w", encoding="utf-8") as f:
        f.write("{ torn")
    world.wait(lambda: world.properties(MANAGER, ROOT)["DefinitionCount"] == 1, "the new file")
    world.refresh()
    bad = world.properties(MANAGER, ROOT)["BadFiles"]
    equal(len(bad), 1)
    contains(bad[0], OTHER)
    contains(world.ok("status").out, OTHER)
    world.ok("start", UUID)
    os.unlink(path_of(world))
    world.wait(lambda: world.properties(MANAGER, ROOT)["DefinitionCount"] == 0, "its end")


def test_parallel_modifies(world):
    """What was reported as done is there: nothing is lost between clients."""
    world.adopt("dsa0")
    uuid, path = world.define()
    clients = [world.connect() for _ in range(30)]
    answers = []
    for n, client in enumerate(clients):
        client.call_async(harness.NAME, ROOT, MANAGER, "Modify", "sa{sv}",
                          (uuid, {"labels": [f"client{n:02}=done"]}),
                          reply_handler=None, error_handler=None)
    del answers
    world.wait(lambda: len(world.properties(DEFINITION, path)["Labels"]) == len(clients),
               "every label")
    equal(list(world.properties(DEFINITION, path)["Labels"]),
          [f"client{n:02}=done" for n in range(len(clients))])


harness.main(globals())
