#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mdevs that go with the client who asked for them, over restarts of the daemon too."""

import os
import signal

import dbus.bus

import harness
from harness import DSA_TYPE, MANAGER, MDEV, accelerator, contains, equal, on

UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"


class Tenant:
    """A connection that leases."""

    def __init__(self, world):
        # Not through connect(): that keeps it until the world ends.
        self.bus = dbus.bus.BusConnection(world.address)
        self.name = str(self.bus.get_unique_name())

    def create(self, **options):
        uuid, path, _ = self.bus.call_blocking(
            harness.NAME, harness.ROOT, MANAGER, "CreateMdev", "sa{sv}",
            (DSA_TYPE, {"lease": True, **options}), timeout=harness.PATIENCE)
        return str(uuid), str(path)

    def leave(self):
        self.bus.close()


def gone(world, *uuids):
    world.wait(lambda: not set(uuids) & set(world.mdevs()), "the end of the lease")


def test_goes_with_the_client(world):
    world.ok("adopt", "dsa0")
    tenant, other = Tenant(world), Tenant(world)
    first, path = tenant.create()
    second, _ = tenant.create()
    kept, _ = other.create()
    equal(str(world.properties(MDEV, path)["Lease"]), tenant.name)
    tenant.leave()
    gone(world, first, second)
    equal(world.mdevs(), [kept], "what others leased")
    other.leave()
    gone(world, kept)
    world.settled(free=3, pool=1)
    contains(world.read_log(), f"{first}: the client that leased it has gone")


def test_without_a_lease_it_stays(world):
    world.ok("adopt", "dsa0")
    tenant = Tenant(world)
    leased, _ = tenant.create()
    plain, path = world.create()
    equal(str(world.properties(MDEV, path)["Lease"]), "")
    tenant.leave()
    gone(world, leased)
    equal(world.mdevs(), [plain])
    # It was made by a client that has gone long since.
    equal(world.ok("create", "--uuid", UUID).out.strip(), UUID)
    world.refresh()
    equal(sorted(world.mdevs()), sorted([plain, UUID]))


def test_dry_run(world):
    world.ok("adopt", "dsa0")
    tenant = Tenant(world)
    tenant.create(**{"dry-run": True})
    tenant.leave()
    equal(world.mdevs(), [])


def restart(signum):
    def test(world):
        world.ok("adopt", "dsa0")
        staying, leaving = Tenant(world), Tenant(world)
        kept, path = staying.create()
        lost, _ = leaving.create()
        world.stop(signum)
        leaving.leave()
        world.start()
        gone(world, lost)
        equal(world.mdevs(), [kept], "a client that is still there has its mdev")
        equal(str(world.properties(MDEV, path)["Lease"]), staying.name)
        staying.leave()
        gone(world, kept)
    return test


test_daemon_restarts = restart(signal.SIGTERM)
test_daemon_is_killed = restart(signal.SIGKILL)


def test_another_bus(world):
    """A new bus gives the same names to others: what was leased on the old one ends."""
    world.ok("adopt", "dsa0")
    tenant = Tenant(world)
    lost, _ = tenant.create()
    world.daemon.kill()
    world.daemon.wait()
    world.log.close()
    world.daemon = None
    world.bus_daemon.kill()
    world.bus_daemon.wait()
    world.bus_daemon.stdout.close()
    world.connections.clear()
    world.start_bus()
    again = Tenant(world)
    while int(again.name.split(".")[1]) < int(tenant.name.split(".")[1]):
        again = Tenant(world)
    equal(again.name, tenant.name, "the name on the new bus")
    world.start()
    gone(world, lost)
    again.leave()


@on(accelerator(), openers=[{"uuid": UUID, "pid": os.getpid(), "comm": "qemu"}])
def test_open_mdev(world):
    """The VMM that has it open is not cut off; what cannot be removed now is said."""
    world.ok("adopt", "dsa0")
    tenant = Tenant(world)
    tenant.create(uuid=UUID)
    tenant.leave()
    world.wait(lambda: "cannot be removed yet" in world.read_log(), "the refusal")
    contains(world.read_log(), f"{UUID}: its client has gone, but it cannot be removed yet",
             "it is open", "qemu")
    equal(world.mdevs(), [UUID])
    # It is tried again when there is reason to, not all the time.
    world.refresh()
    equal(world.read_log().count("cannot be removed yet"), 1, "attempts")


harness.main(globals())
