#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many clients at once: every change that was reported as done is there, none that was refused.

IDXDVD_CALLS sets the number of mdevs that are defined, modified twice and made at once.
"""

import os
import time
import uuid

import dbus.lowlevel

import harness
from harness import DSA_TYPE, SHARED_TYPE, MANAGER, NAME, ROOT, accelerator, equal, on

CLIENTS = 40
CALLS = int(os.environ.get("IDXDVD_CALLS", "300"))
LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"
NO_CAPACITY = "org.idxdvd1.Error.NoCapacity"
WQS = min(64, CALLS // 16)
QUEUES = 4 * WQS  # fewer than calls


class Call:
    """One call that is under way; answers in .error, "" if it was done."""

    def __init__(self, connection, member, signature, args):
        self.connection, self.member, self.signature, self.args = (connection, member, signature,
                                                                   args)
        self.times = 0
        self.send()

    def send(self):
        message = dbus.lowlevel.MethodCallMessage(NAME, ROOT, MANAGER, self.member)
        message.append(*self.args, signature=self.signature)
        self.error = None
        self.times += 1
        self.pending = self.connection.send_message_with_reply(message, self.answered, 600.0)

    def answered(self, reply):
        self.error = getattr(reply, "get_error_name", lambda: None)() or ""
        self.values = reply.get_args_list()

    def wait(self):
        self.pending.block()
        return self.error


def run(calls):
    """Waits for all. Whoever is told that too many wait comes again, as the refusal says."""
    turned_away = 0
    left = calls
    while left:
        for call in left:
            call.wait()
        left = [call for call in left if call.error == LIMITS]
        turned_away += len(left)
        time.sleep(0.05 if left else 0)
        for call in left:
            call.send()
    return turned_away


@on(*[accelerator(address=f"0000:{0x6a + i:02x}:01.0", wqs=WQS, size=1024) for i in range(4)])
def test_creates_and_modifies(world):
    """All are sent before one is answered, from forty connections."""
    clients = [world.connect() for _ in range(CLIENTS)]
    names = [str(uuid.UUID(int=(4 << 76) + (8 << 60) + i + 1)) for i in range(CALLS)]
    defines = [Call(clients[i % CLIENTS], "Define", "sa{sv}",
                    [DSA_TYPE, {"uuid": name, "parent": "0000:6a:01.0"}])
               for i, name in enumerate(names)]
    turned_away = run(defines)
    equal({call.error for call in defines}, {""}, "defines")

    for i in range(4):
        world.adopt(f"dsa{i}", **{"host-wqs": harness.dbus.UInt32(0)})
    calls = []
    for i, name in enumerate(names):
        calls += [Call(clients[i % CLIENTS], "Modify", "sa{sv}",
                       [name, {"labels": [f"{key}={i}"]}]) for key in ("a", "b")]
        calls.append(Call(clients[(i + 7) % CLIENTS], "CreateMdev", "sa{sv}",
                          [DSA_TYPE, {"uuid": name.replace("0000-4", "1111-4")}]))
    turned_away += run(calls)

    # All modifies are done, of the creates as many as there are queues.
    equal({call.error for call in calls if call.member == "Modify"}, {""}, "modifies")
    made = {call.args[1]["uuid"] for call in calls if call.member == "CreateMdev" and
            not call.error}
    refused = [call.error for call in calls if call.member == "CreateMdev" and call.error]
    equal((len(made), set(refused)), (QUEUES, {NO_CAPACITY}), "creates")

    world.refresh()
    for restarted in (False, True):
        objects = [o for p, o in world.managed().items() if "/mdev/" in p]
        equal({str(o[harness.MDEV]["Uuid"]) for o in objects if harness.MDEV in o}, made, "mdevs")
        queues = [str(o[harness.MDEV]["WorkQueue"]) for o in objects if harness.MDEV in o]
        equal(len(set(queues)), QUEUES, "each has a queue of its own")
        definitions = {str(o[harness.DEFINITION]["Uuid"]):
                       [str(label) for label in o[harness.DEFINITION]["Labels"]]
                       for o in objects if harness.DEFINITION in o}
        equal(definitions, {name: [f"a={i}", f"b={i}"] for i, name in enumerate(names)}, "labels")
        if not restarted:
            world.stop()
            world.start()
    print(f"    {len(defines)} defines, {len(calls)} modifies and creates from {CLIENTS} clients, "
          f"{turned_away} turned away for a moment, {len(made)} mdevs")


@on(accelerator(wqs=4))
def test_many_share(world):
    """All at once, on few queues; none is on one that is not shared, and all queues come back."""
    clients = [world.connect() for _ in range(CLIENTS)]
    world.adopt("dsa0")
    world.settled(free=3, pool=1)
    names = [str(uuid.UUID(int=(4 << 76) + (8 << 60) + i + 1)) for i in range(120)]
    # One is there before: else those that are not shared may come first and take all queues.
    creates = [Call(clients[1], "CreateMdev", "sa{sv}", [SHARED_TYPE, {"uuid": names[1]}])]
    run(creates)
    creates += [Call(clients[i % CLIENTS], "CreateMdev", "sa{sv}",
                     [SHARED_TYPE if i % 40 else DSA_TYPE, {"uuid": name}])
                for i, name in enumerate(names) if i != 1]
    run(creates)
    dedicated = [name for i, name in enumerate(names) if not i % 40]
    errors = {c.args[1]["uuid"]: c.error for c in creates}
    equal({errors[name] for name in names if name not in dedicated}, {""}, "those that share")
    equal([errors[name] for name in dedicated].count(NO_CAPACITY), 1, "one queue is too few")

    world.refresh()
    mdevs = [o[harness.MDEV] for o in world.managed().values() if harness.MDEV in o]
    shared = {str(m["WorkQueue"]) for m in mdevs if m["Type"] == SHARED_TYPE}
    whole = [str(m["WorkQueue"]) for m in mdevs if m["Type"] == DSA_TYPE]
    equal((len(mdevs), len(shared), len(set(whole)), shared & set(whole)), (119, 1, 2, set()))
    run([Call(clients[i % CLIENTS], "DestroyMdev", "sa{sv}", [str(m["Uuid"]), {}])
         for i, m in enumerate(mdevs)])
    world.settled(free=3, pool=1)


if __name__ == "__main__":
    harness.main(globals())
