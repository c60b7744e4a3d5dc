#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon is killed, at rest and at work; each restart finds one of the two states (I1)."""

import random
import signal
import subprocess
import time

import harness
from harness import equal

UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"
ROUNDS = 12


def tree(world):
    return world.ok("list", "--json").out


def test_stop_and_start_change_nothing(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "-u", UUID)
    world.settled(free=2, mdev_idle=1, pool=1)
    before = tree(world)
    for signum in (signal.SIGTERM, signal.SIGKILL):
        world.stop(signum)
        world.start()
        equal(tree(world), before, f"after signal {signum}")
    world.ok("destroy", UUID)
    world.ok("release", "dsa0")


def kill_during(world, delay, *verb):
    """Kills the daemon @delay after idxdctl was started; what idxdctl saw does not matter."""
    client = subprocess.Popen([harness.IDXDCTL, *verb], env=world.env, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    time.sleep(delay)
    world.stop(signal.SIGKILL)
    client.wait(harness.PATIENCE)
    world.start()


def state_of(world):
    now = world.ok("list", "--json").json()["accelerators"][0]
    return (sorted(m["uuid"] for m in now["mdevs"]),
            sorted(q["class"] for q in now["work_queues"]))


def check(world, round_number, states):
    """The machine comes to one of @states (mdevs, sorted classes); each mdev has one queue.

    The pool may still be filled after a start; a state that stays is a state.
    """
    try:
        world.wait(lambda: state_of(world) in states, "")
    except AssertionError:
        pass
    now = world.ok("list", "--json").json()["accelerators"][0]
    state = state_of(world)
    if state not in states:
        raise AssertionError(f"round {round_number}: a third state: {state}")
    held = {q["name"]: q["mdev"] for q in now["work_queues"] if q["mdev"]}
    equal(held, {m["wq"]: m["uuid"] for m in now["mdevs"]}, "queues and mdevs")
    return states.index(state)


def delays(seed):
    """From at once to longer than an operation takes."""
    source = random.Random(seed)
    return [source.uniform(0, 0.03) for _ in range(ROUNDS)]


def test_killed_during_create_and_destroy(world):
    world.ok("adopt", "dsa0")
    states = [([], ["free", "free", "free", "pool"]),
              ([UUID], ["free", "free", "mdev-idle", "pool"])]
    seen = set()
    for i, delay in enumerate(delays(1)):
        made = check(world, i, states)
        kill_during(world, delay, *(["destroy", UUID] if made else ["create", "-u", UUID]))
        seen.add((made, check(world, i, states)))
    print(f"    (before, after): {sorted(seen)}")

    # Whatever the last round left can be taken down, and nothing stays behind.
    if world.mdevs():
        world.ok("destroy", UUID)
    check(world, "end", states[:1])


def test_killed_during_adopt_and_release(world):
    before = tree(world)
    adopted = None
    for i, delay in enumerate(delays(2)):
        is_adopted = world.ok("list", "--json").json()["accelerators"][0]["adopted"]
        if is_adopted:
            adopted = adopted or tree(world)
            equal(tree(world), adopted, f"round {i}: adopted")
        else:
            equal(tree(world), before, f"round {i}: not adopted")
        kill_during(world, delay, "release" if is_adopted else "adopt", "dsa0")
    if world.ok("list", "--json").json()["accelerators"][0]["adopted"]:
        world.ok("release", "dsa0")
    equal(tree(world), before, "at the end")


harness.main(globals())
