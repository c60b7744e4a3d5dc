#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The command lines of both programs; none of this reaches the bus."""

import subprocess

import harness
from harness import contains, equal

# arguments, exit status, parts of stderr
WRONG = [
    ([], 2, ["which verb", "--help"]),
    (["frobnicate"], 2, ["frobnicate", "not a verb", "--help"]),
    (["adopt"], 2, ["adopt", "DEVICE", "missing"]),
    (["adopt", "dsa0", "dsa1"], 2, ["adopt", "dsa1", "too many"]),
    (["destroy"], 2, ["destroy", "UUID", "missing"]),
    (["list", "dsa0"], 2, ["list", "dsa0", "too many"]),
    (["list", "--uuid", "x"], 2, ["list", "--uuid"]),
    (["create", "--json"], 2, ["create", "--json"]),
    (["release", "--host-wqs", "1", "dsa0"], 2, ["release", "--host-wqs"]),
    (["adopt", "dsa0", "--host-wqs", "many"], 2, ["--host-wqs", "many", "number"]),
    (["adopt", "dsa0", "--host-wqs", "-1"], 2, ["--host-wqs", "-1", "number"]),
    (["adopt", "dsa0", "--host-wqs", "99999999999999999999"], 2, ["--host-wqs", "number"]),
    (["list", "--timeout", "0"], 2, ["--timeout", "0", "number"]),
    (["create", "--sparkle"], 2, ["sparkle"]),
    (["create", "--type"], 2, ["type"]),
]


def test_wrong_usage_stopped(world):
    for args, status, parts in WRONG:
        result = world.ctl(*args)
        equal((result.status, result.out), (status, ""), " ".join(args))
        contains(result.err, "idxdctl: " if parts[0] not in ("sparkle", "type") else "idxdctl",
                 *parts)


def test_help_and_version_stopped(world):
    for args in (["--help"], ["-h"], ["help"], ["create", "--help"]):
        contains(world.ok(*args).out, "Usage: idxdctl", "idxdctl(1)")
    version = world.ok("--version").out
    equal(version.split()[0], "idxdctl")
    daemon = subprocess.run([harness.IDXDVD, "--version"], capture_output=True, text=True,
                            check=True).stdout
    equal(daemon, version.replace("idxdctl", "idxdvd"), "both programs have one version")


def test_full_disk_is_not_success(world):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([harness.IDXDCTL, "list", "--json"], env=world.env, stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=harness.PATIENCE)
    equal(done.returncode, 1, "exit status")
    contains(done.stderr, "standard output", "No space left")


def test_daemon_usage_stopped(world):
    for args, parts in ((["extra"], ["extra"]), (["--sparkle"], ["sparkle"])):
        done = subprocess.run([harness.IDXDVD, *args], env=world.env, capture_output=True,
                              text=True, timeout=harness.PATIENCE)
        equal((done.returncode, done.stdout), (2, ""), " ".join(args))
        contains(done.stderr, *parts)


def test_daemon_without_topology_stopped(world):
    done = subprocess.run([harness.IDXDVD, "--simulate", world.dir + "/missing", "--state-dir",
                           world.state_dir], env=world.env, capture_output=True, text=True,
                          timeout=harness.PATIENCE)
    equal((done.returncode, done.stdout), (1, ""))
    contains(done.stderr, "No such file")


harness.main(globals())
