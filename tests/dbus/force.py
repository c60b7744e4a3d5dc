#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Force takes what somebody uses, after saying whose it is; drain takes nothing and names whom it waits
for. Without force nothing of others changes."""

import errno
import os

import harness
from harness import accelerator, contains, equal, on, refused

OPEN = "11111111-1111-4111-8111-111111111111"
STUBBORN = "22222222-2222-4222-8222-222222222222"
IDLE = "33333333-3333-4333-8333-333333333333"
FOREIGN = "44444444-4444-4444-8444-444444444444"
PID = os.getpid()
OPENERS = [{"uuid": OPEN, "pid": 4711, "comm": "qemu"},
           {"uuid": STUBBORN, "pid": 4712, "comm": "deaf", "stubborn": True}]
CDEV = {"id": 0, "size": 16, "group": 0, "mode": "shared", "type": "user", "name": "app",
        "driver-name": "user", "driver": "user", "priority": 10, "threshold": 8, "clients": 1,
        "pid": PID, "comm": "app"}


@on(accelerator(wqs=6), openers=OPENERS)
def test_destroy_by_force(world):
    world.ok("adopt", "dsa0")
    for name in (OPEN, STUBBORN, IDLE):
        world.ok("create", "-u", name)
    result = world.ctl("destroy", OPEN)
    equal(result.status, 5, repr(result))
    contains(result.err, "pid 4711 (qemu)")
    equal(len(world.mdevs()), 3)

    dry = world.ok("destroy", "--force", "--dry-run", OPEN)
    contains(dry.out, f"take mdev {OPEN}", "by force: pid 4711 (qemu) is asked to let go")
    equal(len(world.mdevs()), 3)
    result = world.ctl("destroy", "--force", OPEN)
    equal((result.status, result.out), (0, ""), repr(result))
    contains(result.err, "pid 4711 (qemu) is asked to let go")
    equal(sorted(world.mdevs()), [STUBBORN, IDLE])

    # Nobody is killed: it goes when its user does.
    result = world.ctl("destroy", "--force", STUBBORN)
    equal(result.status, 5, repr(result))
    contains(result.err, "has not yet", "removes it as soon as it is closed")
    # Where there is nobody it is no force.
    equal(world.ok("destroy", "--force", "--dry-run", IDLE).out,
          world.ok("destroy", "--dry-run", IDLE).out)
    contains(world.read_log(), "audit: org.idxdvd1.force by user ", f"method=DestroyMdev device=dsa0",
             f"uuid={OPEN}")


@on(accelerator(wqs=4, enabled=True, engine_groups=[0, 0], queues=[
    {"id": i, "size": 16, "group": 0, "mode": "dedicated", "type": "user", "name": "others",
     "driver-name": "mdev", "driver": "mdev", "priority": 10} for i in (0, 1)]),
    mdevs=[{"uuid": FOREIGN, "type": harness.DSA_TYPE, "wq": "wq0.0"}])
def test_what_others_made(world):
    before = world.ok("list", "--json").out
    for args in (["destroy", FOREIGN], ["stop", FOREIGN]):
        equal(world.ctl(*args).status, 5)
    equal(world.ok("list", "--json").out, before)
    contains(world.ok("stop", "--force", "--dry-run", FOREIGN).out, "by force: not made by idxdvd")
    equal(world.ok("list", "--json").out, before)
    equal(world.ctl("destroy", "--force", FOREIGN).status, 0)
    equal(world.mdevs(), [])


@on(accelerator(wqs=6), openers=OPENERS)
def test_release_by_force(world):
    before = world.ok("list", "--json").out
    world.ok("adopt", "dsa0")
    for name in (OPEN, IDLE):
        world.ok("create", "-u", name)
    equal(world.ctl("release", "dsa0").status, 5)
    plan = world.ok("release", "--force", "--dry-run", "dsa0").out
    contains(plan, f"take mdev {OPEN}", f"remove mdev {IDLE}", "3. release dsa0")
    equal(len(world.mdevs()), 2)
    equal(world.ctl("release", "--force", "dsa0").status, 0)
    equal(world.ok("list", "--json").out, before, "the device is as it was")
    equal(world.ctl("release", "--force", "dsa0").status, 3)

    world.ok("adopt", "dsa0")
    world.ok("create", "-u", STUBBORN)
    result = world.ctl("release", "--force", "dsa0")
    equal(result.status, 5, repr(result))
    equal(world.ok("list", "--json").json()["accelerators"][0]["adopted"], True)


@on(accelerator(wqs=4, enabled=True, engine_groups=[0, 0], queues=[CDEV]), openers=OPENERS)
def test_drain(world):
    before = world.ok("list", "--json").out
    contains(world.ok("drain", "--dry-run", "wq0.0").out, "drain wq0.0", f"pid {PID} (app)")
    world.ok("drain", "wq0.0")
    world.ok("drain", "--pid", str(PID), "wq0.0")
    world.ok("drain", "--pasid", "7", "wq0.0")
    result = world.ctl("drain", "--pid", "1", "wq0.0")
    equal(result.status, 2, repr(result))
    contains(result.err, "does not have it open")
    # What is not enabled has nothing in flight.
    world.ok("drain", "wq0.3")
    equal(world.ctl("drain", "wq0.9").status, 3)
    equal(world.ctl("drain", IDLE).status, 3)
    equal(world.ctl("drain", "wq0.0", "--force").status, 2)
    equal(world.ok("list", "--json").out, before, "nothing has changed")


@on(accelerator(wqs=4))
def test_drain_an_mdev(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "-u", IDLE)
    contains(world.ok("drain", "--dry-run", IDLE).out, "drain wq0.")
    world.ok("drain", IDLE, IDLE.upper())


@on(accelerator(wqs=4, enabled=True, engine_groups=[0, 0], queues=[CDEV]),
    faults=[{"call": "drain", "errno": errno.ETIMEDOUT, "ms": 500, "times": 1}])
def test_a_drain_that_does_not_end(world):
    refused("org.idxdvd1.Error.Failed", ["wq0.0", "not ended it in time", "stop whoever"],
            world.call, "Drain", "wq0.0", {}, signature="sa{sv}")
    world.ok("drain", "wq0.0")


harness.main(globals())
