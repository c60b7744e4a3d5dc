#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Keeps a number of mdevs ready for virtual machines, over D-Bus.

    orchestrator.py [TYPE [COUNT]]

It leases COUNT mdevs of TYPE, prints the UUID of each, and makes another when one goes. They are
idxdvd's to take back when this program ends, however it ends; one that a VM has open goes when the VM
does. An example of what a program has to do: everything that can be lost is lost for a while only.

 - Names the UUID itself, so that a call whose answer was lost can be made again: Exists is success.
 - Tells errors apart by name. What a restart of idxdvd brings about is tried again, a lack of room
   waits for a signal that something was freed, and the rest is for a person.
 - Believes signals, not time: InterfacesRemoved for what is gone, InterfacesAdded for what came.
"""

import os
import signal
import sys
import uuid

import dbus
import dbus.mainloop.glib
from gi.repository import GLib

NAME = "org.idxdvd1"
ROOT = "/org/idxdvd1"
MANAGER = "org.idxdvd1.Manager"
MDEV = "org.idxdvd1.Mdev"
ERROR = "org.idxdvd1.Error."

# The daemon is not there, is just leaving, or left with our call.
RETRY = {
    "org.freedesktop.DBus.Error.ServiceUnknown",
    "org.freedesktop.DBus.Error.NameHasNoOwner",
    "org.freedesktop.DBus.Error.NoReply",
    ERROR + "ShuttingDown",
}
# Nothing is wrong, but there is none to be had now.
WAIT = {ERROR + "NoCapacity", ERROR + "EnginesTaken", ERROR + "QuotaExceeded", ERROR + "NotAdopted"}
RETRY_MS = 500


class Pool:
    """The mdevs that are wanted, by UUID: True when they are there."""

    def __init__(self, bus, mdev_type, count):
        self.bus = bus
        self.mdev_type = mdev_type
        self.ready = {str(uuid.uuid4()): False for _ in range(count)}
        self.asked = set()
        bus.add_signal_receiver(self.on_removed, "InterfacesRemoved",
                                "org.freedesktop.DBus.ObjectManager", NAME, ROOT)
        bus.add_signal_receiver(self.on_capacity, "PropertiesChanged",
                                "org.freedesktop.DBus.Properties", NAME)
        bus.watch_name_owner(NAME, self.on_owner)

    def call(self, interface, method, signature, args, done, failed):
        # Not through a proxy: that one wants to know at once who has the name.
        self.bus.call_async(NAME, ROOT, interface, method, signature, args, done, failed,
                            timeout=120)

    def fill(self):
        """Asks for what is not there and not asked for."""
        for wanted, there in self.ready.items():
            if not there and wanted not in self.asked:
                self.ask(wanted)

    def ask(self, wanted):
        self.asked.add(wanted)
        options = dbus.Dictionary({"uuid": wanted, "lease": True}, signature="sv")
        self.call(MANAGER, "CreateMdev", "sa{sv}", (self.mdev_type, options),
                  lambda *_: self.have(wanted), lambda error: self.lack(wanted, error))

    def have(self, wanted):
        self.asked.discard(wanted)
        self.ready[wanted] = True
        print("ready", wanted, flush=True)

    def lack(self, wanted, error):
        name = error.get_dbus_name()
        self.asked.discard(wanted)
        if name == ERROR + "Exists":
            self.have(wanted)
        elif name in RETRY:
            print("again", wanted, name, flush=True)
            GLib.timeout_add(RETRY_MS, self.fill)
        elif name in WAIT:
            print("waiting", wanted, error.get_dbus_message(), flush=True)
        else:
            print("refused", wanted, error.get_dbus_message(), flush=True)
            sys.exit(1)

    def on_removed(self, _path, interfaces):
        if MDEV in interfaces:
            self.look()

    def on_capacity(self, interface, _changed, _stale, **_):
        if interface == "org.idxdvd1.Accelerator":
            self.fill()

    def on_owner(self, owner):
        if owner:
            self.look()

    def look(self):
        """The daemon is there, or says that something is gone: compares and fills."""
        self.call("org.freedesktop.DBus.ObjectManager", "GetManagedObjects", "", (),
                  self.compare, self.blind)

    def compare(self, objects):
        there = {str(i[MDEV]["Uuid"]) for i in objects.values() if MDEV in i}
        for wanted in self.ready:
            if self.ready[wanted] and wanted not in there:
                print("gone", wanted, flush=True)
                self.ready[wanted] = False
        self.fill()

    def blind(self, error):
        if error.get_dbus_name() not in RETRY:
            raise error


def main(argv):
    mdev_type = argv[1] if len(argv) > 1 else "idxd-dsa-1dwq-v1"
    count = int(argv[2]) if len(argv) > 2 else 1
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    address = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    bus = dbus.bus.BusConnection(address) if address else dbus.SystemBus()
    loop = GLib.MainLoop()
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGTERM, loop.quit)
    Pool(bus, mdev_type, count).fill()
    loop.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
