#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""libvirt's hook beside `true`: how long libvirt waits for it; prints both sides of each ratio.

Run in a build directory:  top_srcdir=.. ../tests/bench/hook.py [RUNS]
Both are started the same way, in turns, with the same domain on standard input. The last two rows are
with the daemon on simulated hardware, which makes and takes away an mdev.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "dbus"))

import harness  # noqa: E402

HOOK = os.path.join(harness.BUILD, "idxdvd-libvirt-hook")
UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"
PLAIN = "<domain>" + "<disk type='file'/>" * 500 + "</domain>"
WITH_MDEV = f"""<domain><uuid>3c1e5ee9-8f1d-4d0b-9e2a-0c1f6b7a8d01</uuid>
<metadata><m:mdevs xmlns:m="urn:idxdvd:libvirt:1"><m:mdev uuid="{UUID}" type="{harness.DSA_TYPE}"/>
</m:mdevs></metadata><devices><hostdev type='mdev'><source><address uuid='{UUID}'/></source></hostdev>
</devices></domain>"""


def once(world, command, xml):
    start = time.perf_counter()
    subprocess.run(command, input=xml.encode(), env={**world.env, "IDXDVD_HOOK_ROOT": world.dir},
                   check=True)
    return time.perf_counter() - start


def row(world, runs, what, operation, sub, xml, after=None):
    times = {"true": [], "hook": []}
    for _ in range(runs):
        times["true"].append(once(world, ["true"], xml))
        times["hook"].append(once(world, [HOOK, "guest", operation, sub, "-"], xml))
        if after:
            once(world, [HOOK, "guest", *after, "-"], xml)
    ours, theirs = (sorted(times[k])[runs // 2] * 1e3 for k in ("hook", "true"))
    print(f"{what:<36} {ours:8.2f} {theirs:8.2f} {ours / theirs:7.2f}")


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    world = harness.World(harness.topology(harness.accelerator()))
    try:
        os.makedirs(os.path.join(world.dir, "run"))
        world.start_bus()
        world.start()
        world.adopt("dsa0")
        print(f"{'median of ' + str(runs) + ', ms':<36} {'hook':>8} {'true':>8} {'ratio':>7}")
        row(world, runs, "reconnect", "reconnect", "begin", WITH_MDEV)
        row(world, runs, "prepare, a domain without mdevs", "prepare", "begin", PLAIN)
        os.makedirs(os.path.join(world.dir, "sys/bus/mdev/devices", UUID))
        row(world, runs, "prepare, its mdev is there", "prepare", "begin", WITH_MDEV)
        os.rmdir(os.path.join(world.dir, "sys/bus/mdev/devices", UUID))
        row(world, runs, "prepare, its mdev is made", "prepare", "begin", WITH_MDEV,
            after=("release", "end"))
        world.stop()
    finally:
        world.close()


main()
