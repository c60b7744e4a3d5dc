#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client hears, and that it agrees with what it would have read."""

import socket
import subprocess
import xml.etree.ElementTree as ElementTree

import harness
from harness import (ACCELERATOR, MANAGER, MDEV, OBJECT_MANAGER, PROPERTIES, ROOT, WORKQUEUE,
                     equal)

UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"


def changed(world, iface):
    """{path: [{property: value}, ...]} of the PropertiesChanged signals for @iface so far."""
    found = {}
    for m in world.signals("PropertiesChanged"):
        name, values, invalidated = m["payload"]["data"]
        equal(invalidated, [], "a property is sent with its value")
        if name == iface:
            found.setdefault(m["path"], []).append({k: v["data"] for k, v in values.items()})
    return found


def last(world, iface, path, name):
    """The value that the last signal with that property carried."""
    values = [v[name] for v in changed(world, iface).get(path, []) if name in v]
    if not values:
        raise AssertionError(f"no signal for {iface}.{name} of {path}")
    return values[-1]


def test_mdev_comes_and_goes(world):
    world.ok("adopt", "dsa0")
    world.watch()
    _, path = world.create(uuid=UUID)

    added = [m for m in world.signals("InterfacesAdded") if m["payload"]["data"][0] == path]
    equal(len(added), 1, "InterfacesAdded for the mdev")
    equal((added[0]["path"], added[0]["interface"]), (ROOT, OBJECT_MANAGER))
    ifaces = added[0]["payload"]["data"][1]
    sent = {k: v["data"] for k, v in ifaces[MDEV].items()}
    equal((sent["Uuid"], sent["Parent"], sent["State"]), (UUID, "0000:6a:01.0", "idle"))
    equal({k: v for k, v in world.managed()[path][MDEV].items()}, sent, "read later")
    equal(last(world, MANAGER, ROOT, "MdevCount"), 1)

    world.destroy(UUID)
    removed = [m for m in world.signals("InterfacesRemoved") if m["payload"]["data"][0] == path]
    equal([m["payload"]["data"][1] for m in removed], [[MDEV]], "InterfacesRemoved")
    equal(path in world.managed(), False, "the object after its removal")
    equal(last(world, MANAGER, ROOT, "MdevCount"), 0)


def test_adopt_and_release_are_heard(world):
    world.watch()
    accelerator = ROOT + "/accelerator/dsa0"
    world.adopt("dsa0")
    heard = changed(world, ACCELERATOR)[accelerator][-1]
    equal((heard["Adopted"], heard["State"], heard["PoolSize"]), (True, "enabled", 1))
    equal(last(world, MANAGER, ROOT, "AdoptedCount"), 1)
    bound = {p: v[-1]["Driver"] for p, v in changed(world, WORKQUEUE).items() if v[-1]["Driver"]}
    equal(list(bound.values()), ["mdev"], "the pool's queue")

    world.release("dsa0")
    heard = changed(world, ACCELERATOR)[accelerator][-1]
    equal((heard["Adopted"], heard["State"]), (False, "disabled"))
    equal(last(world, MANAGER, ROOT, "AdoptedCount"), 0)


def test_what_was_heard_is_what_is_read(world):
    """A client that only listens and one that only asks know the same, for what is signalled."""
    known = world.managed()
    known[ROOT] = {MANAGER: world.properties(MANAGER)}
    honest = signalled_properties(world, known)
    world.watch()
    world.adopt("dsa0")
    world.create(uuid=UUID)
    world.create()
    world.destroy(UUID)
    world.settled(free=2, mdev_idle=1, pool=1)
    world.signals("PropertiesChanged")

    for m in world.recorded():
        if m["type"] != "signal":
            continue
        if m.get("member") == "InterfacesAdded":
            path, ifaces = m["payload"]["data"]
            known[path] = {i: {k: v["data"] for k, v in p.items()} for i, p in ifaces.items()
                           if i.startswith("org.idxdvd1")}
        elif m.get("member") == "InterfacesRemoved":
            del known[m["payload"]["data"][0]]
        elif m.get("member") == "PropertiesChanged":
            iface, values, _ = m["payload"]["data"]
            extra = set(values) - honest[iface]
            equal(extra, set(), f"properties of {iface} sent though they claim not to be")
            known[m["path"]][iface].update({k: v["data"] for k, v in values.items()})

    now = world.managed()
    now[ROOT] = {MANAGER: world.properties(MANAGER)}
    equal(sorted(known), sorted(now), "objects")
    for path, ifaces in now.items():
        for iface, properties in ifaces.items():
            for name in honest[iface] & set(properties):
                equal(known[path][iface][name], properties[name], f"{path} {iface} {name}")


def signalled_properties(world, objects):
    """{interface: names of the properties that are annotated as emitting a signal with the value}"""
    found = {MDEV: {"WorkQueue", "Managed"}}     # there is no mdev yet; contract.py compares these
    for path, ifaces in objects.items():
        text = world.call("Introspect", iface="org.freedesktop.DBus.Introspectable", path=path,
                          signature="")
        for node in ElementTree.fromstring(text).iter("interface"):
            if node.get("name") in ifaces:
                found[node.get("name")] = {
                    p.get("name") for p in node.iter("property")
                    if not any(a.get("value") != "true" for a in p.iter("annotation"))}
    return found


def test_nothing_is_said_when_nothing_happens(world):
    world.adopt("dsa0")
    world.watch()
    world.ctl("create", "-t", "no-such-type")
    world.create(uuid=UUID, **{"dry-run": True})
    for member in ("InterfacesAdded", "InterfacesRemoved", "PropertiesChanged"):
        equal(world.signals(member), [], member)


def test_ready_is_said_after_the_name_stopped(world):
    path = world.dir + "/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(path)
        s.settimeout(harness.PATIENCE)
        world.start(env={"NOTIFY_SOCKET": path})
        said = []
        while not any("READY=1" in text for text in said):
            said.append(s.recv(4096).decode())
        equal(world.has_owner(), True, "the name when READY=1 is said")
        world.stop()
        while not any("STOPPING=1" in text for text in said):
            said.append(s.recv(4096).decode())


def test_second_daemon_gives_up(world):
    second = subprocess.run([harness.IDXDVD, "--simulate", world.topology_file, "--state-dir",
                             world.dir + "/other"], env=world.env, capture_output=True, text=True,
                            timeout=harness.PATIENCE)
    equal(second.returncode, 1, "exit status of the second daemon")
    harness.contains(second.stderr, "org.idxdvd1", "another idxdvd")
    equal(world.ok("status", "--json").json()["simulated"], True)


def test_paths(world):
    world.adopt("dsa0")
    _, path = world.create(uuid=UUID)
    equal(sorted(world.managed()), sorted(
        [ROOT + "/accelerator/dsa0", path] + [f"{ROOT}/wq/wq0_2e{i}" for i in range(4)]))
    objects = world.managed()
    mdev = objects[path][MDEV]
    equal((mdev["Accelerator"], mdev["Managed"]), (ROOT + "/accelerator/dsa0", True))
    queue = objects[mdev["WorkQueue"]][WORKQUEUE]
    equal((queue["Mdev"], queue["Holder"], queue["Class"]), (path, UUID, "mdev-idle"))
    free = [q[WORKQUEUE] for q in objects.values() if WORKQUEUE in q
            and q[WORKQUEUE]["Class"] == "free"]
    equal({str(q["Mdev"]) for q in free}, {"/"}, "the mdev of a free queue")
    for bad in ("/accelerator/dsa9", "/accelerator/0000_3a6a_3a01_2e0", "/wq/wq0_2e9",
                "/mdev/" + UUID.upper().replace("-", "_2d")):
        harness.refused("org.freedesktop.DBus.Error.UnknownObject", [], world.call, "GetAll", "",
                        iface=PROPERTIES, path=ROOT + bad, signature="s")


harness.main(globals(), needs=["busctl"])
