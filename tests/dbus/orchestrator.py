#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/examples/orchestrator.py keeps its mdevs over a restart of the daemon and a loss of one."""

import os
import signal
import subprocess
import sys

import harness
from harness import DSA_TYPE, equal

try:
    import gi.repository
except ImportError:
    harness.skip("python3-gi is not installed")

EXAMPLE = os.path.join(harness.SOURCE, "docs/examples/orchestrator.py")


class Orchestrator:
    def __init__(self, world, count):
        self.world = world
        self.said = os.path.join(world.dir, "orchestrator")
        with open(self.said, "w", encoding="ascii") as out:
            self.process = subprocess.Popen(
                [sys.executable, EXAMPLE, DSA_TYPE, str(count)], stdout=out, stderr=out,
                env={**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": world.address})

    def lines(self, word):
        with open(self.said, encoding="utf-8") as f:
            said = [line.split() for line in f]
        return [words[1] for words in said if words[:1] == [word]]

    def until(self, word, count):
        self.world.wait(lambda: len(self.lines(word)) >= count, f"{count} lines '{word}'")
        return self.lines(word)

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait()


def test_keeps_and_leaves(world):
    world.ok("adopt", "--host-wqs", "0", "dsa0")
    pool = Orchestrator(world, 2)
    try:
        mine = set(pool.until("ready", 2))
        equal(set(world.mdevs()), mine)
        world.stop()
        world.start()
        equal(set(world.mdevs()), mine, "after a restart")

        taken = sorted(mine)[0]
        world.ok("destroy", taken)
        equal(pool.until("gone", 1), [taken])
        world.wait(lambda: set(world.mdevs()) == mine, "the mdev that was taken away")
    finally:
        pool.end(signal.SIGKILL)
    world.wait(lambda: not world.mdevs(), "the end of its leases")


def test_waits_for_room(world):
    world.ok("adopt", "--host-wqs", "0", "dsa0")
    other = [world.create()[0] for _ in range(4)]
    pool = Orchestrator(world, 1)
    try:
        pool.until("waiting", 1)
        world.ok("destroy", other[0])
        pool.until("ready", 1)
        equal(len(world.mdevs()), 4)
    finally:
        pool.end(signal.SIGTERM)


def test_starts_before_the_daemon(world):
    world.ok("adopt", "dsa0")
    world.stop()
    pool = Orchestrator(world, 1)
    try:
        pool.until("again", 1)
        world.start()
        pool.until("ready", 1)
    finally:
        pool.end(signal.SIGTERM)


if __name__ == "__main__":
    harness.main(globals())
