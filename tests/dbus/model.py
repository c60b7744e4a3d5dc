#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Random operations by several clients at once, against a model of what each means.

In each round every client sends one call before any answer is read. There has to be an order of the
calls in which the model gives just these answers and comes to just the state that the daemon
exports. IDXDVD_STEPS sets the number of calls, IDXDVD_SEED the seed.
"""

import copy
import itertools
import json
import os
import random
import signal

import harness
from harness import DSA_TYPE, SHARED_TYPE, accelerator, equal, on
from parallel import Call

STEPS = int(os.environ.get("IDXDVD_STEPS", "1000"))
SEED = int(os.environ.get("IDXDVD_SEED", "1"))
CLIENTS = 4
ERROR = "org.idxdvd1.Error."
LABELS = ("a=1", "a=2", "b=1", "a=", "b=")

# Fewer queues than there are names, so that they run out; dsa1 keeps none for the host.
QUEUES = {"0000:6a:01.0": 4, "0000:6b:01.0": 3}
HOST = {"0000:6a:01.0": 1, "0000:6b:01.0": 0}
NAMES = [f"{i:08x}-0000-4000-8000-000000000000" for i in range(1, 9)]
# These share a queue of their parent; the others have one each.
SHARING = NAMES[5:]
# So few that all of them find a queue whenever their device is adopted.
AUTO = {"0000:6a:01.0": NAMES[0], "0000:6b:01.0": NAMES[1]}


class Refused(Exception):
    pass


class Model:
    """What there is: adopted devices, mdevs {uuid: parent}, definitions {uuid: {...}}."""

    def __init__(self):
        self.adopted, self.mdevs, self.definitions = set(), {}, {}

    def make(self, name, parent):
        if parent not in self.adopted:
            raise Refused("NotAdopted")
        there = {name for name, on in self.mdevs.items() if on == parent}
        shared = bool(there & set(SHARING))
        if len(there - set(SHARING)) + shared >= QUEUES[parent] - HOST[parent]:
            if not (shared and name in SHARING):
                raise Refused("NoCapacity")
        self.mdevs[name] = parent

    def adopt(self, device):
        if device in self.adopted:
            raise Refused("Exists")
        self.adopted.add(device)
        for name, d in self.definitions.items():
            if d["parent"] == device and d["autostart"] and name not in self.mdevs:
                self.make(name, device)

    def release(self, device):
        if device not in self.adopted:
            raise Refused("NotAdopted")
        if device in self.mdevs.values():
            raise Refused("InUse")
        self.adopted.remove(device)

    def create(self, name, parent):
        if name in self.mdevs:
            raise Refused("Exists")
        self.make(name, parent)
        if self.definitions.get(name, {}).get("parent", parent) != parent:
            del self.mdevs[name]
            raise Refused("Exists")

    def destroy(self, name):
        if name not in self.mdevs:
            raise Refused("NoSuchMdev")
        del self.mdevs[name]

    def define(self, name, parent, autostart, labels):
        if name in self.definitions:
            raise Refused("Exists")
        if self.mdevs.get(name, parent) != parent:
            raise Refused("Exists")
        self.definitions[name] = {"parent": parent, "autostart": autostart, "labels": {}}
        self.label(name, labels)

    def label(self, name, labels):
        for label in labels:
            key, value = label.split("=")
            self.definitions[name]["labels"].pop(key, None)
            if value:
                self.definitions[name]["labels"][key] = value

    def modify(self, name, autostart, labels):
        if name not in self.definitions:
            raise Refused("NotDefined")
        if autostart is not None:
            self.definitions[name]["autostart"] = autostart
        self.label(name, labels)

    def undefine(self, name):
        if name not in self.definitions:
            raise Refused("NotDefined")
        del self.definitions[name]

    def start(self, name):
        if name not in self.definitions:
            raise Refused("NotDefined")
        self.create(name, self.definitions[name]["parent"])

    def step(self, operation):
        """The name of the error, or "" for done."""
        try:
            getattr(self, operation[0])(*operation[1:])
            return ""
        except Refused as why:
            return ERROR + str(why)

    def state(self):
        mdevs = {}
        for name, parent in self.mdevs.items():
            mdevs.setdefault(name, {"parent": parent})["running"] = True
        for name, d in self.definitions.items():
            m = mdevs.setdefault(name, {"parent": d["parent"]})
            m.update(defined=True, autostart=d["autostart"],
                     labels=sorted(f"{k}={v}" for k, v in d["labels"].items()))
        return sorted(self.adopted), mdevs


def exported(world):
    world.refresh()  # what starts by itself starts after the answer
    document = json.loads(world.call("Export", signature=""))
    mdevs = {}
    for m in document["mdevs"]:
        d = mdevs[m["uuid"]] = {"parent": m["parent"]}
        if m.get("running"):
            d["running"] = True
        if m.get("defined"):
            d.update(defined=True, autostart=m.get("autostart", False),
                     labels=sorted(m.get("labels", [])))
    return sorted(a["device"] for a in document["accelerators"]), mdevs


def choose(source):
    parent = source.choice(list(QUEUES))
    name = source.choice(NAMES)
    auto = name == AUTO[parent] and source.random() < 0.5
    labels = source.sample(LABELS, source.randrange(3))
    return source.choice([
        ("adopt", parent), ("release", parent), ("create", name, parent),
        ("create", name, parent), ("destroy", name), ("destroy", name),
        ("define", name, parent, auto, labels), ("modify", name, None, labels or [LABELS[0]]),
        ("undefine", name), ("start", name)])


def send(connection, operation):
    kind, first, *rest = operation
    options = {"adopt": lambda: {"host-wqs": harness.dbus.UInt32(HOST[first])},
               "create": lambda: {"uuid": first, "parent": rest[0]},
               "define": lambda: {"uuid": first, "parent": rest[0], "autostart": rest[1],
                                  "labels": harness.dbus.Array(rest[2], signature="s")},
               "modify": lambda: {"labels": harness.dbus.Array(rest[1], signature="s")},
               }.get(kind, dict)()
    member = {"create": "CreateMdev", "destroy": "DestroyMdev"}.get(kind, kind.capitalize())
    word = first
    if kind in ("create", "define"):
        word = SHARED_TYPE if first in SHARING else DSA_TYPE
    return Call(connection, member, "sa{sv}", [word, options])


def explain(model, operations, answers, state):
    """The model after the first order that fits; None if none does."""
    for order in itertools.permutations(range(len(operations))):
        after = copy.deepcopy(model)
        if all(after.step(operations[i]) == answers[i] for i in order) and after.state() == state:
            return after
    return None


@on(*[accelerator(address=a, wqs=n) for a, n in QUEUES.items()])
def test_random_operations(world):
    source = random.Random(SEED)
    clients = [world.connect() for _ in range(CLIENTS)]
    model, done, refused, restarts, reordered = Model(), 0, 0, 0, 0
    while done + refused < STEPS:
        operations = [choose(source) for _ in clients]
        calls = [send(c, o) for c, o in zip(clients, operations)]
        answers = [call.wait() for call in calls]
        state = exported(world)
        straight = copy.deepcopy(model)
        reordered += [straight.step(o) for o in operations] != answers
        after = explain(model, operations, answers, state)
        if not after:
            raise AssertionError(f"seed {SEED}, after {done + refused} calls: no order of\n"
                                 f"{operations}\ngives\n{answers}\nfrom {model.state()}\n"
                                 f"to {state}")
        model = after
        done += answers.count("")
        refused += len(answers) - answers.count("")
        if source.random() < 1 / 500:
            world.stop(source.choice([signal.SIGTERM, signal.SIGKILL]))
            world.start()
            restarts += 1
            equal(exported(world), model.state(), "after a restart")
    print(f"    seed {SEED}: {done} calls done, {refused} refused, {restarts} restarts; "
          f"{reordered} times not in the order of the clients; no difference")
    equal(done > STEPS / 5 and refused > STEPS / 10, True, "both happen")


if __name__ == "__main__":
    harness.main(globals())
