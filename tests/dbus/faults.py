#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""A simulated kernel that is slow or fails (the topology's "faults"): the daemon is neither slow nor
wrong."""

import errno
import threading
import time

import harness
from harness import accelerator, contains, equal, on


@on(accelerator(), faults=[{"call": "mdev_create", "ms": 2000}])
def test_slow_create_blocks_nobody(world):
    world.ok("adopt", "dsa0")
    done = []
    creator = threading.Thread(target=lambda: done.append(world.ok("create").out.strip()))
    begin = time.monotonic()
    creator.start()
    took = []
    while creator.is_alive():
        start = time.monotonic()
        world.call("Ping", iface="org.freedesktop.DBus.Peer", signature="")
        world.managed()
        took.append(time.monotonic() - start)
        time.sleep(0.01)
    creator.join()
    total = time.monotonic() - begin
    equal(total >= 2, True, f"the create took {total:.2f} s")
    equal(world.mdevs(), done)
    took.sort()
    print(f"    a create of {total:.1f} s; beside it {len(took)} calls of Ping and GetManagedObjects, "
          f"median {took[len(took) // 2] * 1000:.2f} ms, longest {took[-1] * 1000:.1f} ms")
    equal(len(took) > 20, True, f"{len(took)} calls beside the create")
    # Generous: other programs run on this machine too. Waiting for the create would be 2 s.
    equal(took[-1] < 1, True, f"longest call {took[-1]:.3f} s")


@on(accelerator(), faults=[{"call": "mdev_create", "errno": errno.EIO, "times": 1}])
def test_error_is_taken_back(world):
    world.ok("adopt", "dsa0")
    before = world.settled(free=3, pool=1)
    result = world.ctl("create")
    equal((result.status, result.out), (1, ""), result.err)
    contains(result.err, "Input/output error")
    world.refresh()
    equal(world.classes(), before, "after the failed create")
    world.ok("create")


@on(accelerator(), faults=[{"call": "bind", "errno": errno.ENXIO, "after": 2, "times": 1}])
def test_later_error(world):
    """The device and the pool's queue are bound; the next one fails, once."""
    world.ok("adopt", "dsa0")
    world.settled(free=3, pool=1)
    uuid = world.ok("create").out.strip()
    equal(world.mdevs(), [uuid])
    world.wait(lambda: "No such device or address" in world.read_log(), "the error in the log")
    world.ok("create")


harness.main(globals())
