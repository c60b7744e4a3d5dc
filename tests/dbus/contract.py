#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract exists once: installed XML, manual pages, bus policy and the running programs agree."""

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import harness
from harness import (ACCELERATOR, DEFINITION, MANAGER, MDEV, OBJECT_MANAGER, PROPERTIES, ROOT, SOURCE,
                     WORKQUEUE, equal)

EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as f:
        return f.read()


def describe(root, iface):
    """An interface as a set of tuples, so that neither order nor spelling of the XML counts."""
    node = next(i for i in root.iter("interface") if i.get("name") == iface)
    found = set()
    for m in node:
        if m.tag in ("method", "signal"):
            found.add((m.tag, m.get("name")) + tuple(
                (a.get("name"), a.get("type"), a.get("direction", "out")) for a in m.iter("arg")))
        elif m.tag == "property":
            emits = [a.get("value") for a in m.iter("annotation") if a.get("name") == EMITS]
            found.add((m.tag, m.get("name"), m.get("type"), m.get("access"),
                       emits[0] if emits else "true"))
    return found


def live(world, path):
    return ElementTree.fromstring(world.call(
        "Introspect", iface="org.freedesktop.DBus.Introspectable", path=path, signature=""))


def installed(iface):
    return describe(ElementTree.fromstring(read("policy", iface + ".xml")), iface)


def test_installed_xml(world):
    world.adopt("dsa0")
    uuid, mdev = world.create()
    world.define(uuid=uuid)
    for iface, path in ((MANAGER, ROOT), (ACCELERATOR, ROOT + "/accelerator/dsa0"),
                        (WORKQUEUE, ROOT + "/wq/wq0_2e0"), (MDEV, mdev),
                        (DEFINITION, mdev)):
        equal(installed(iface), describe(live(world, path), iface), iface)
        unnamed = [m for m in installed(iface) if m[0] == "method" and any(not a[0] for a in m[2:])]
        equal(unnamed, [], f"arguments without a name in {iface}")


def test_no_property_can_be_written(world):
    for iface in (MANAGER, ACCELERATOR, WORKQUEUE, MDEV, DEFINITION):
        equal([p for p in installed(iface) if p[0] == "property" and p[3] != "read"], [], iface)


def section(page, title):
    match = re.search(rf"^{title}\n=+\n(.*?)(?=^[A-Z ]+\n=+$|\Z)", page, re.M | re.S)
    return match.group(1)


def test_interface_manual(world):
    page = read("man", "org.idxdvd1.rst")
    for iface in (MANAGER, ACCELERATOR, WORKQUEUE, MDEV, DEFINITION):
        text = section(page, iface.rsplit(".", 1)[1].upper())
        methods, properties = text.split("Properties:", 1)
        equal(set(re.findall(r"\*\*(\w+)\*\* (\w+)", properties)),
              {m[1:3] for m in installed(iface) if m[0] == "property"}, f"properties of {iface}")
        equal(set(re.findall(r"^\*\*(\w+)\*\* \((.*?)\) -> \((.*?)\)$", methods, re.M)),
              {(m[1],) + tuple(", ".join(f"{t} {n}" for n, t, d in m[2:] if d == way)
                               for way in ("in", "out"))
               for m in installed(iface) if m[0] == "method"}, f"methods of {iface}")


def error_table():
    """{kind: D-Bus name} from the table that daemon and idxdctl share."""
    rows = re.findall(r'X\((\w+), (API_ERROR_PREFIX )?"([\w.]+)", (E\w+), (API_EXIT_\w+)\)',
                      read("idxdvd", "common", "api.h"))
    if len(rows) < 10:
        raise AssertionError("the table in api.h could not be read")
    return {kind: ("org.idxdvd1.Error." if prefix else "") + name
            for kind, prefix, name, _, _ in rows}


def test_error_names(world):
    names = set(error_table().values())
    manual = set(re.findall(r"^(org\.[\w.]+)$", section(read("man", "org.idxdvd1.rst"), "ERRORS"),
                            re.M))
    standard = {"org.freedesktop.DBus.Error.AccessDenied",
                "org.freedesktop.DBus.Error.LimitsExceeded",
                "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}
    equal(manual - standard, names, "errors in the manual page")
    equal(standard - manual, set(), "standard errors left out")

    model = dict(re.findall(r'\[REFUSE_(\w+)\] = "(\w+)"', read("idxdvd", "refusal.c")))
    del model["NONE"]
    equal({k: n.rsplit(".", 1)[1] for k, n in error_table().items()}, model,
          "names of the kinds of refusal")


def test_idxdctl_manual(world):
    page = read("man", "idxdctl.rst")
    verbs = world.ok("--list-verbs").out.split()
    heads = [line for line in section(page, "VERBS").splitlines() if line.startswith("**")]
    equal(re.findall(r"\*\*(\w+)\*\*", " ".join(heads)), verbs, "verbs")
    options = world.ok("--list-options").out.split()
    heads = [line for line in section(page, "OPTIONS").splitlines() if line.startswith("-")]
    equal(sorted(re.findall(r"--[\w-]+", " ".join(heads))), sorted(options), "options")
    text = world.ok("--help").out
    for word in verbs + options:
        harness.contains(text, word)
    long = [line for line in text.splitlines() if len(line) > 100]
    equal(long, [], "lines of the help over 100 columns")


def test_doctor_manual(world):
    """The page lists the checks in their order, in words: scalable-mode is 'scalable mode'."""
    checks = re.findall(r'^\t\{ "([\w-]+)", (?:NULL|"[\w-]+"), doctor_', read("cli", "doctor", "doctor.c"),
                        re.M)
    equal(len(checks) > 10, True, "checks found")
    text = " ".join(section(read("man", "idxdctl.rst"), "VERBS").split("**doctor**")[1].split()).lower()
    words = {"vtd": "vt-d", "pasid": "pasid", "accel-config": "accel-config's file",
             "memlock": "locked memory"}
    at = 0
    for check in checks:
        word = words.get(check, check.replace("-", " "))
        equal(word in text[at:], True, f"{check}, behind the one before it")
        at += text[at:].index(word)


def test_libvirt_manual(world):
    """Each attribute of our metadata that the hook knows, and no other."""
    page = read("man", "idxdvd-libvirt.rst")
    source = read("libvirt", "domain.c")
    names = re.search(r"names\[\] = \{\n(.*?)\};", source, re.S).group(1)
    described = re.search(r"^\*type\* is needed.*?Anything else is refused", page, re.M | re.S).group(0)
    equal(set(re.findall(r"\*([\w-]+)\*(?!\*)", described.replace("**idxdctl create**", "")))
          - {"dedicated"}, set(re.findall(r'"([\w-]+)"', names)) - {"uuid"})
    namespace = re.search(r'DOMAIN_NAMESPACE "(.*)"', read("libvirt", "domain.h")).group(1)
    harness.contains(page, f"'{namespace}'")
    operations = set(re.findall(r'\{ "(\w+)", "\w+", (?:true|false) \}', read("libvirt", "hook.c")))
    equal(operations, {"prepare", "release"}, "the operations that the page says something happens at")


def test_exit_status_manual(world):
    values = set(re.findall(r"API_EXIT_\w+ = (\d+)", read("idxdvd", "common", "api.h")))
    equal(set(re.findall(r"^(\d+)$", section(read("man", "idxdctl.rst"), "EXIT STATUS"), re.M)),
          values, "exit statuses in the manual page")


def test_daemon_manual(world):
    text = subprocess.run([harness.IDXDVD, "--help"], capture_output=True, text=True,
                          check=True).stdout
    heads = [line for line in section(read("man", "idxdvd.rst"), "OPTIONS").splitlines()
             if line.startswith("-")]
    equal(sorted(re.findall(r"--[\w-]+", " ".join(heads))), sorted(re.findall(r"--[\w-]+", text)))


def test_module_manual(world):
    page = read("man", "idxd_mdev.rst")
    source = "".join(read("kmod", f) for f in sorted(os.listdir(os.path.join(SOURCE, "kmod")))
                     if f.endswith(".c"))
    equal(set(re.findall(r"^(\w+)$", section(page, "PARAMETERS"), re.M)),
          set(re.findall(r"\bmodule_param\((\w+),", source)), "module parameters")
    heads = re.findall(r"^\*\*.*\*\*$", section(page, "ATTRIBUTES"), re.M)
    # STAT(name, ...) makes the attributes in stats/ by one DEVICE_ATTR_RO(name).
    attributes = set(re.findall(r"\b(?:DEVICE|DRIVER)_ATTR_\w+\((\w+)\)", source)) - {"name"}
    equal(set(re.findall(r"\*\*(?:stats/)?(\w+)\*\*", " ".join(heads))),
          attributes | set(re.findall(r"^STAT\((\w+),", source, re.M)), "attributes")
    known = set(re.findall(r"\"((?:dsa|iax)-\w+-v\d+)\"", source))
    equal({t[len("idxd-"):] for t in re.findall(r"^(idxd-[\w-]+)$", section(page, "TYPES"), re.M)},
          known, "types")


def test_bus_policy(world):
    policy = ElementTree.fromstring(read("policy", "org.idxdvd1.conf"))
    default = next(p for p in policy.iter("policy") if p.get("context") == "default")
    root = next(p for p in policy.iter("policy") if p.get("user") == "root")
    equal([a.get("own") for a in policy.iter("allow") if a.get("own")], ["org.idxdvd1"])
    equal([a.get("own") for a in root.iter("allow") if a.get("own")], ["org.idxdvd1"])
    equal(default[0].tag, "deny", "the first rule for everybody")
    equal({(a.get("send_interface"), a.get("send_member")) for a in default.iter("allow")},
          {(MANAGER, None), (PROPERTIES, "Get"), (PROPERTIES, "GetAll"), (OBJECT_MANAGER, None),
           ("org.freedesktop.DBus.Introspectable", None), ("org.freedesktop.DBus.Peer", None)},
          "what everybody may send")


def test_polkit_policy(world):
    actions = set(re.findall(r'"(org\.idxdvd1\.[a-z-]+)"', read("idxdvd", "common", "api.h")))
    policy = ElementTree.fromstring(read("policy", "org.idxdvd1.policy"))
    equal({a.get("id") for a in policy.iter("action")}, actions, "actions of the policy")
    page = read("man", "org.idxdvd1.rst")
    equal(set(re.findall(r"^(org\.idxdvd1\.[a-z-]+)$", section(page, "ACCESS"), re.M)), actions,
          "actions in the manual page")
    for action in policy.iter("action"):
        defaults = {d.tag: d.text for d in action.find("defaults")}
        equal(defaults["allow_any"], "auth_admin", action.get("id"))
        equal(defaults["allow_inactive"], "auth_admin", action.get("id"))
        equal(defaults["allow_active"],
              "auth_admin" if "override" in action.get("id") else "auth_admin_keep",
              action.get("id"))
    rules = read("policy", "idxdvd-operators.rules")
    equal(set(re.findall(r'"(org\.idxdvd1\.[a-z-]+)"', rules)) - actions, set(),
          "actions of the example that do not exist")


def test_unit_and_activation_belong_together(world):
    unit = read("policy", "idxdvd.service.in")
    activation = read("policy", "org.idxdvd1.service")
    alias = re.search(r"^Alias=(.*)$", unit, re.M).group(1)
    equal(re.search(r"^SystemdService=(.*)$", activation, re.M).group(1), alias)
    for text, key in ((unit, "BusName"), (activation, "Name")):
        equal(re.search(rf"^{key}=(.*)$", text, re.M).group(1), harness.NAME)


harness.main(globals())
