#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same conversation through each implementation of D-Bus that clients use: what they read, what they
do and what they are refused is the same."""

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import dbus

import harness
from harness import DSA_TYPE, INVALID_ARGS, MANAGER, NAME, ROOT, contains, equal

UUID = "11111111-1111-4111-8111-111111111111"
NOT_ADOPTED = "org.idxdvd1.Error.NotAdopted"


class Refused(Exception):
    def __init__(self, name, text):
        super().__init__(name, text)
        self.name, self.text = name, text


def run(world, *args):
    done = subprocess.run(args, env=world.env, capture_output=True, text=True,
                          timeout=harness.PATIENCE)
    return done.returncode, done.stdout, done.stderr


class Busctl:
    """sd-bus, as systemd's own tool speaks it."""

    name = "busctl"

    def __init__(self, world):
        self.world = world

    def call(self, *args):
        status, out, err = run(self.world, "busctl", f"--address={self.world.address}",
                               "--json=short", *args)
        if status:
            # It says the text only.
            raise Refused(None, err)
        return json.loads(out)["data"] if out.strip() else None

    def version(self):
        return self.call("get-property", NAME, ROOT, MANAGER, "Version")

    def create(self, parent):
        return self.call("call", NAME, ROOT, MANAGER, "CreateMdev", "sa{sv}", DSA_TYPE, "2",
                         "uuid", "s", UUID, "parent", "s", parent)[0]

    def wrong(self):
        self.call("call", NAME, ROOT, MANAGER, "Adopt", "sa{sv}", "dsa0", "1", "host-wqs",
                  "s", "many")

    def destroy(self):
        return self.call("call", NAME, ROOT, MANAGER, "DestroyMdev", "sa{sv}", UUID, "0")[0]

    def export(self):
        return self.call("call", NAME, ROOT, MANAGER, "Export")[0]


class Gdbus:
    """GDBus, GLib's."""

    name = "gdbus"

    def __init__(self, world):
        self.world = world

    def call(self, method, *args):
        status, out, err = run(self.world, "gdbus", "call", "--system", "--dest", NAME,
                               "--object-path", ROOT, "--method", method, *args)
        if status:
            raise Refused(re.search(r"GDBus\.Error:([\w.]+)", err).group(1), err)
        return out

    def version(self):
        return re.search(r"<'(.*)'>", self.call("org.freedesktop.DBus.Properties.Get", MANAGER,
                                                "Version")).group(1)

    def create(self, parent):
        out = self.call(f"{MANAGER}.CreateMdev", DSA_TYPE,
                        f"{{'uuid': <'{UUID}'>, 'parent': <'{parent}'>}}")
        return re.match(r"\('([\w-]+)'", out).group(1)

    def wrong(self):
        self.call(f"{MANAGER}.Adopt", "dsa0", "{'host-wqs': <'many'>}")

    def destroy(self):
        return re.findall(r"'([^']*)'", self.call(f"{MANAGER}.DestroyMdev", UUID, "{}"))

    def export(self):
        out = self.call(f"{MANAGER}.Export")
        return out[2:out.rindex("'")].replace("\\n", "\n")


class Libdbus:
    """The reference implementation, through dbus-python's proxies, which read the introspection."""

    name = "dbus-python"

    def __init__(self, world):
        self.object = world.connect().get_object(NAME, ROOT)
        self.manager = dbus.Interface(self.object, MANAGER)

    @staticmethod
    def call(function, *args):
        try:
            return function(*args)
        except dbus.exceptions.DBusException as e:
            raise Refused(e.get_dbus_name(), e.get_dbus_message()) from None

    def version(self):
        return str(self.object.Get(MANAGER, "Version", dbus_interface=harness.PROPERTIES))

    def create(self, parent):
        return str(self.call(self.manager.CreateMdev, DSA_TYPE, {"uuid": UUID, "parent": parent})[0])

    def wrong(self):
        self.call(self.manager.Adopt, "dsa0", {"host-wqs": "many"})

    def destroy(self):
        return [str(line) for line in self.call(self.manager.DestroyMdev, UUID,
                                                dbus.Dictionary(signature="sv"))]

    def export(self):
        return str(self.call(self.manager.Export))


def refusal(function, *args):
    try:
        got = function(*args)
    except Refused as why:
        return why
    raise AssertionError(f"it was not refused but returned {got!r}")


def converse(client, world):
    """One client makes an mdev and removes it; what idxdctl, sd-bus in C, sees is the truth."""
    equal(f"idxdctl {client.version()}\n", world.ok("--version").out)
    before = client.export()
    equal(before, world.ok("export").out)

    why = refusal(client.create, "dsa1")
    equal(why.name or NOT_ADOPTED, NOT_ADOPTED)
    contains(why.text, "dsa1: it is not adopted", "idxdctl adopt it first")
    why = refusal(client.wrong)
    equal(why.name or INVALID_ARGS, INVALID_ARGS)
    contains(why.text, "host-wqs", "send 'u'")

    equal(client.create("dsa0"), UUID)
    equal(world.mdevs(), [UUID])
    equal(len(client.destroy()), 1, "steps")
    equal(world.mdevs(), [])
    equal(client.export(), before)


@harness.on(harness.accelerator(), harness.accelerator(address="0000:6f:01.0"))
def test_every_client(world):
    world.ok("adopt", "dsa0")
    for kind in (Busctl, Gdbus, Libdbus):
        converse(kind(world), world)
        print(f"    {kind.name}: {kind.__doc__}")


def test_introspection_as_tools_show_it(world):
    root = ElementTree.fromstring(world.call(
        "Introspect", iface="org.freedesktop.DBus.Introspectable", signature=""))
    methods = {m.get("name") for i in root.iter("interface") if i.get("name") == MANAGER
               for m in i.iter("method")}
    _, shown, _ = run(world, "busctl", f"--address={world.address}", "introspect", NAME, ROOT,
                      MANAGER)
    equal(set(re.findall(r"^\.(\w+) +method", shown, re.M)), methods, "methods that busctl shows")
    _, tree, _ = run(world, "gdbus", "introspect", "--system", "--dest", NAME, "--object-path", ROOT)
    part = tree[tree.index(f"interface {MANAGER} "):].split("interface ", 2)[1]
    equal(set(re.findall(r"^ +(\w+)\(", part, re.M)), methods, "methods that gdbus shows")


harness.main(globals(), needs=("busctl", "gdbus"))
