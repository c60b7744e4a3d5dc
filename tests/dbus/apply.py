#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""A host as one document, by idxdctl."""

import json
import os

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


harness.main(globals())
