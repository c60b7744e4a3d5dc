#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the policy file says is kept, explained, and refused by name."""

import json
import os
import signal
import subprocess

import harness
from harness import contains, equal, refused

ERROR = harness.NAME + ".Error."
EXCLUSIVE = {"version": 1, "exclusive-engines": ["0000:6a:01.0"]}


def write(world, text):
    os.makedirs(world.state_dir, mode=0o700, exist_ok=True)
    with open(os.path.join(world.state_dir, "policy.json"), "w", encoding="ascii") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))


def capacity(world):
    """The counts as D-Bus has them; idxdctl has to print the same."""
    got = dict(world.call("GetCapacity", signature="")[0])
    shown = world.ok("capacity", "--json").json()["capacity"][0]
    equal((shown["exclusive"], shown["free_now"]), (got["Exclusive"], got["FreeNow"]))
    contains(world.ok("capacity").out, " EXCL ")
    return tuple(int(got[key]) for key in ("FreeNow", "Creatable", "Exclusive", "Reserved", "Mdevs"))


def test_exclusive_engines_stopped(world):
    """wq0.0 and wq0.2 share an engine, wq0.1 and wq0.3 the other; wq0.3 is the host's."""
    write(world, EXCLUSIVE)
    world.start()
    world.ok("adopt", "dsa0")
    world.refresh()
    equal(capacity(world), (1, 1, 1, 1, 0), "after adopt")
    first, _ = world.create()
    contains(world.ok("create", "--dry-run").out, "exclusive-engines")
    world.refresh()
    equal(capacity(world), (1, 0, 1, 1, 1), "with one mdev")
    contains(world.ok("why", "wq0.2").out, "the 1 engines of group 0 work for wq0.0", "to free it")
    equal(str(world.call("Explain", "wq0.2", signature="s")[1]), ERROR + "EnginesTaken")
    world.create()
    world.refresh()
    equal(capacity(world), (0, 0, 1, 1, 2), "with two")
    for options in ({}, {"parent": "dsa0"}, {"wq": "wq0.2"}, {"placement": "pack"}):
        refused(ERROR + "EnginesTaken", ["exclusive-engines", "wq0.0"], world.create, **options)
    result = world.ctl("create")
    equal((result.status, result.out), (6, ""))
    contains(result.err, "engines", "exclusive-engines", "destroy an mdev")
    world.destroy(first)
    world.refresh()
    equal(capacity(world), (1, 0, 1, 1, 1), "with one again")


def test_share_without_policy(world):
    world.ok("adopt", "dsa0")
    for _ in range(3):
        world.create()
    equal(capacity(world), (0, 0, 0, 1, 3))


def test_given_up_stopped(world):
    """What shares engines already is left as it is, with the policy and without."""
    world.start()
    world.ok("adopt", "dsa0")
    made = {world.create()[0] for _ in range(3)}
    world.stop()
    write(world, EXCLUSIVE)
    world.start()
    world.refresh()
    equal(set(world.mdevs()), made)
    world.destroy(sorted(made)[0])
    world.refresh()
    equal(len(world.mdevs()), 2)
    world.stop()
    write(world, "{}")
    world.start()
    world.create()
    equal(len(world.mdevs()), 3)


def test_quota_stopped(world):
    """Of the user who runs this test, whoever that is."""
    me = os.geteuid()
    write(world, {"quotas": {str(me): 2, str(me + 1): 0}})
    world.start()
    world.ok("adopt", "dsa0")
    equal(world.ok("capacity", "--json").json()["capacity"][0]["quota_left"], 2)
    first, path = world.create()
    equal(int(world.properties(harness.MDEV, path)["Owner"]), me)
    contains(world.ok("capacity").out, "Your quota leaves you 1 more.")
    second = world.define(autostart=False)[0]
    world.ok("start", second)
    equal({m["owner"] for m in world.ok("list", "--json").json()["accelerators"][0]["mdevs"]}, {me})
    world.refresh()
    contains(world.ok("why", "wq0.2").out, "the policy allows 2 mdevs, and 2 are there")
    equal(str(world.call("Explain", "wq0.2", signature="s")[1]), ERROR + "QuotaExceeded")
    refused(ERROR + "QuotaExceeded", [f"user {me}", first, second, "destroy one"], world.create)
    result = world.ctl("create")
    equal((result.status, result.out), (6, ""))
    contains(result.err, "the policy allows 2 mdevs", first, second)
    # Whose they are is still known to the next daemon, however this one ends.
    world.stop(signal.SIGKILL)
    world.start()
    refused(ERROR + "QuotaExceeded", [f"user {me}"], world.create)
    world.destroy(first)
    world.create()
    contains(world.ok("capacity").out, "Your quota leaves you 0 more.")


def test_unusable_stopped(world):
    for text, why in (("{", "one JSON object"), ({"exclusive-engine": []}, "no key"),
                      ({"version": 7}, "version"), ({"quotas": {"me": 1}}, "number of a user"),
                      ({"exclusive-engines": ["dsa0"]}, "PCI")):
        write(world, text)
        done = subprocess.run(
            [harness.IDXDVD, "--simulate", world.topology_file, "--state-dir", world.state_dir],
            env=world.env, capture_output=True, text=True, timeout=harness.PATIENCE)
        equal((done.returncode, done.stdout), (1, ""))
        contains(done.stderr, "policy.json: ", why, "mend the file")


def test_other_file_stopped(world):
    write(world, {"quota": 5})
    other = os.path.join(world.dir, "other.json")
    with open(other, "w", encoding="ascii") as f:
        f.write("{")
    done = subprocess.run(
        [harness.IDXDVD, "--simulate", world.topology_file, "--state-dir", world.state_dir,
         "--policy", other], env=world.env, capture_output=True, text=True,
        timeout=harness.PATIENCE)
    equal((done.returncode, done.stdout), (1, ""))
    contains(done.stderr, other + ": ", "one JSON object")


harness.main(globals())
