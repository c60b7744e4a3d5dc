#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""What idxdctl shows: one object by any name, libvirt's element, events, JSON by its schema, and what a
terminal and a shell see of it."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import xml.etree.ElementTree as ElementTree

import harness
from harness import DSA_TYPE, PATIENCE, SHARED_TYPE, SOURCE, accelerator, contains, equal, on

UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"
SECOND = "6f0c1a52-aaaa-4a4e-9d0b-3a6b0f3c2b12"

with open(os.path.join(SOURCE, "cli", "idxdctl.schema.json"), encoding="utf-8") as schema_file:
    SCHEMA = json.load(schema_file)
KINDS = {"string": str, "boolean": bool, "integer": int, "object": dict, "array": list}


def faults(value, schema, where=""):
    """What of @value is not as @schema says; a key that the schema does not have counts too."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    kind = KINDS.get(schema.get("type"))
    if kind and (not isinstance(value, kind) or kind is int and isinstance(value, bool)):
        return [f"{where}: {value!r} is no {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"] or value != schema.get("const", value):
        found.append(f"{where}: {value!r}")
    if isinstance(value, int) and value < schema.get("minimum", value):
        found.append(f"{where}: {value} is too small")
    if isinstance(value, list):
        for n, item in enumerate(value):
            found += faults(item, schema["items"], f"{where}[{n}]")
    if isinstance(value, dict) and "properties" in schema:
        found += [f"{where}.{key} is missing" for key in schema["required"] if key not in value]
        for key, item in value.items():
            if key in schema["properties"]:
                found += faults(item, schema["properties"][key], f"{where}.{key}")
            else:
                found.append(f"{where}.{key} is not in the schema")
    return found


def valid(value, name):
    equal(faults(value, SCHEMA["$defs"][name]), [], f"{name} against the schema")


def begin(world):
    world.ok("adopt", "dsa0")
    world.ok("create", "--uuid", UUID)
    world.ok("define", "--uuid", UUID, "--label", "vm=a", "--label", "rack=7")
    world.ok("define", "--uuid", SECOND, "--parent", "dsa0", "--label", "vm=b", "--label", "rack=7")


@on(accelerator(enabled=True, engine_groups=[0, 0], queues=[
    {"id": 1, "size": 16, "group": 0, "mode": "dedicated", "type": "user", "name": "app",
     "driver-name": "user", "driver": "user", "priority": 10, "clients": 1, "pid": 4711,
     "comm": "dpdk-test"},
    {"id": 2, "size": 16, "group": 0}, {"id": 3, "size": 16, "group": 0}]))
def test_json_is_as_its_schema_says(world):
    begin(world)
    for verb, name in (("list", "list"), ("types", "types"), ("capacity", "capacities"),
                       ("holders", "holders"), ("status", "status")):
        valid(world.ok(verb, "--json").json(), name)
        equal(world.ok(verb, "-o", "json").json(), world.ok(verb, "--json").json(), verb)
    equal(len(world.ok("holders", "--json").json()["holders"]) > 0, True, "somebody holds a queue")
    for word in ("dsa0", "wq0.1", UUID):
        valid(world.ok("show", word, "--json").json(), "show")
    result = world.ctl("doctor", "--json")
    valid(result.json(), "doctor")


def test_the_test_of_the_schema_can_fail(world):
    good = world.ok("types", "--json").json()
    for change in ({"format": 2}, {"types": {}}, {"types": [{}]}, {"more": 1},
                   {"types": [{**good["types"][0], "available": -1}]}):
        if not faults({**good, **change}, SCHEMA["$defs"]["types"]):
            raise AssertionError(f"{change} passed")


def test_json_lines(world):
    begin(world)
    for verb, records in (("list", {"accelerator": "listed_accelerator", "definition": "definition"}),
                          ("types", {"type": "type"}), ("capacity", {"capacity": "capacity"}),
                          ("doctor", {"check": "check"})):
        lines = [json.loads(line) for line in world.ctl(verb, "-o", "jsonl").out.splitlines()]
        equal({line["record"] for line in lines}, set(records), verb)
        for line in lines:
            valid(line, records[line["record"]])
    lines = world.ok("status", "-o", "jsonl").out.splitlines()
    equal(len(lines), 1)
    valid(json.loads(lines[0]), "status")


def test_show_by_any_name(world):
    begin(world)
    for word, want in (("dsa0", ["accelerators"]), ("0000:6a:01.0", ["accelerators"]),
                       ("wq0.2", ["work_queues"]), (UUID, ["mdevs", "definitions"]),
                       (UUID[:10].upper(), ["mdevs", "definitions"]), ("vm=a", ["mdevs", "definitions"]),
                       (SECOND[:12], ["definitions"])):
        found = world.ok("show", word, "--json").json()
        equal(list(found), ["format"] + want, word)
        contains(world.ok("show", word).out, want[0].rstrip("s").replace("_", " "))
    equal(len(world.ok("show", "rack=7", "--json").json()["definitions"]), 2, "a label of two")
    for word in ("dsa9", "6f0", "vm=", "vm=c", "nothing"):
        result = world.ctl("show", word)
        equal((result.status, result.out), (3, ""), word)
        contains(result.err, word, "idxdctl list")


def test_only_reads_take_prefixes(world):
    begin(world)
    equal(world.ctl("destroy", UUID[:13]).status, 3)
    equal(world.mdevs(), [UUID])


def test_xml(world):
    begin(world)
    for word in (UUID, UUID[:13], "vm=a"):
        element = ElementTree.fromstring(world.ok("xml", word).out)
        equal((element.tag, element.get("mode"), element.get("type"), element.get("model")),
              ("hostdev", "subsystem", "mdev", "vfio-pci"))
        equal(element.find("source/address").get("uuid"), UUID)
    result = world.ctl("xml", "6f0c")
    equal((result.status, result.out), (2, ""), "several")
    contains(result.err, UUID, SECOND)
    equal(world.ctl("xml", "7777").status, 3)
    equal(world.ctl("xml", "dsa0").status, 3)


def test_wide(world):
    begin(world)
    contains(world.ok("list", "-o", "wide").out, "PARENT", "OWNER", "0000:6a:01.0")
    for args in (("types", "-o", "wide"), ("list", "-o", "yaml"), ("adopt", "dsa0", "-o", "json")):
        equal(world.ctl(*args).status, 2, " ".join(args))


def test_enable_disable_plan(world):
    begin(world)

    def auto():
        return [d["autostart"] for d in world.ok("list", "--json").json()["definitions"]]
    equal(auto(), [False, False])
    world.ok("enable", UUID, SECOND)
    equal(auto(), [True, True])
    world.ok("disable", UUID, "--dry-run")
    world.ok("disable", SECOND)
    equal(auto(), [True, False])

    document = world.ok("export").out
    path = os.path.join(world.dir, "document")
    with open(path, "w", encoding="utf-8") as f:
        f.write(document)
    equal(world.ok("plan", path).out, "")
    world.ok("destroy", UUID)
    contains(world.ok("plan", path).out, UUID)
    equal(world.mdevs(), [], "a plan changes nothing")


def test_monitor(world):
    # The daemon may come later than who watches it.
    world.stop()
    path = os.path.join(world.dir, "events")
    with open(path, "w", encoding="utf-8") as out:
        monitor = subprocess.Popen([harness.IDXDCTL, "monitor", "-o", "jsonl"], env=world.env, stdout=out)
    try:
        def events():
            with open(path, encoding="utf-8") as f:
                return [json.loads(line) for line in f.read().splitlines()]

        def seen(**want):
            return any(all(e[k] == v for k, v in want.items()) for e in events())
        # Whether it listens cannot be asked: the daemon is started until it is heard.
        while not events():
            world.start()
            world.stop()
        world.start()
        begin(world)
        world.ok("destroy", UUID)
        world.wait(lambda: seen(event="removed", kind="mdev", object=UUID), "the removal")
        equal(seen(event="added", kind="mdev", object=UUID), True, "its creation")
        equal(seen(event="added", kind="definition", object=SECOND), True, "a definition")
        changed = [e["properties"] for e in events()
                   if (e["event"], e["kind"], e["object"]) == ("changed", "accelerator", "dsa0")]
        equal(any(p.get("adopted") for p in changed), True, "adopted")
        for e in events():
            valid(e, "event")
            known = SCHEMA["$defs"].get({"manager": "status"}.get(e["kind"], e["kind"]))
            for key, value in e["properties"].items():
                equal(faults(value, known["properties"][key]), [], f"{e['kind']}.{key}")
    finally:
        monitor.kill()
        monitor.wait()


@on(accelerator(), faults=[{"call": "mdev_remove", "errno": 16, "times": 2}])
def test_wait(world):
    begin(world)
    equal(world.ctl("destroy", UUID).status, 5, "without --wait")
    result = world.ctl("destroy", "--wait", UUID)
    equal((result.status, world.mdevs()), (0, []), "a moment later")
    contains(result.err, "waiting until", UUID)


@on(accelerator(), faults=[{"call": "mdev_remove", "errno": 16}])
def test_wait_in_vain(world):
    begin(world)
    result = world.ctl("destroy", "--wait", "--timeout", "1", UUID)
    equal(result.status, 124)
    contains(result.err, "still in use after 1 s", "idxdctl holders")
    equal(world.mdevs(), [UUID])


def terminal(world, *args, answer="", env=None):
    """idxdctl on a terminal of its own: exit status and what is to be seen there."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(harness.IDXDCTL, ["idxdctl", *args],
                  {**world.env, "TERM": "xterm", "PAGER": "", **(env or {})})
    if answer:
        os.write(fd, answer.encode())
    seen = b""
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode().replace("\r", "")


def test_asks_only_a_person(world):
    begin(world)
    for answer in ("n\n", "\n", "nonsense\n"):
        status, seen = terminal(world, "destroy", UUID, answer=answer)
        equal((status, world.mdevs()), (1, [UUID]), repr(answer))
        contains(seen, f"destroy: {UUID}? [y/N]")
    status, seen = terminal(world, "destroy", UUID, "--dry-run")
    equal((status, "[y/N]" in seen), (0, False), "a dry run")
    equal(terminal(world, "destroy", UUID, answer="y\n")[0], 0)
    equal(world.mdevs(), [])
    world.ok("create", "--uuid", UUID)
    status, seen = terminal(world, "destroy", "--yes", UUID)
    equal((status, seen, world.mdevs()), (0, "", []), "--yes")


def test_colours_and_pager(world):
    begin(world)
    plain = world.ok("list").out
    seen = terminal(world, "list")[1]
    contains(seen, "\033[1mdsa0\033[0m")
    equal(re.sub(r"\033\[[0-9;]*m", "", seen), plain, "the same but for the colours")
    for env in ({"NO_COLOR": "1"}, {"SYSTEMD_COLORS": "0"}, {"TERM": "dumb"}):
        equal(terminal(world, "list", env=env)[1], plain, str(env))
    equal(world.ok("list", env={"SYSTEMD_COLORS": "1"}).out == plain, False, "colours by force")
    pager = {"SYSTEMD_PAGER": "sed s/^/paged:/", "NO_COLOR": "1"}
    paged = "".join(f"paged:{line}\n" for line in plain.splitlines())
    equal(terminal(world, "list", env=pager), (0, paged), "the pager")
    equal(terminal(world, "list", "--no-pager", env=pager), (0, plain), "--no-pager")
    equal(world.ok("list", env=pager).out, plain, "no pager but on a terminal")
    equal(terminal(world, "list", env={**pager, "SYSTEMD_PAGER": "true"})[0] in (0, 1, -signal.SIGPIPE),
          True, "a pager that does not read")


def metrics(text):
    """{metric: {labels: value}} of a text that keeps to OpenMetrics; each metric said what it is first."""
    lines = text.splitlines()
    equal(lines[-1], "# EOF")
    found, name = {}, None
    for line in lines[:-1]:
        head = re.fullmatch(r"# (TYPE|HELP) (\w+) (.+)", line)
        if head and head.group(1) == "TYPE":
            name = head.group(2)
            equal((head.group(3), name in found), ("gauge", False), line)
            found[name] = {}
        elif head:
            equal((head.group(2), found[name]), (name, {}), line)
        else:
            sample = re.fullmatch(r'(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\d+)', line)
            if not sample or sample.group(1) != name:
                raise AssertionError(f"not a sample of {name}: {line}")
            labels = tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', sample.group(2) or "")))
            equal(labels in found[name], False, f"twice: {line}")
            found[name][labels] = int(sample.group(3))
    return found


def test_metrics(world):
    begin(world)
    found = metrics(world.ok("metrics").out)
    equal([dict(k)["simulated"] for k in found["idxdvd_build_info"]], ["yes"])
    equal(found["idxdvd_definitions"], {(): 2})
    classes = list(world.classes().values())
    equal({dict(k)["class"]: v for k, v in found["idxdvd_work_queues"].items() if v},
          {c: classes.count(c) for c in classes})
    row = world.ok("capacity", "--json").json()["capacity"][0]
    parts = {dict(k)["part"]: v for k, v in found["idxdvd_capacity"].items()
             if dict(k)["type"] == DSA_TYPE}
    for part, key in (("total", "total"), ("creatable", "creatable"), ("in-use", "mdevs_in_use"),
                      ("free", "free_now"), ("unusable", "unusable")):
        equal(parts[part], row[key], part)
    equal([(dict(k)["uuid"], v) for k, v in found["idxdvd_mdev_in_use"].items()], [(UUID, 0)])
    equal([(dict(k)["device"], v) for k, v in found["idxdvd_accelerator_adopted"].items()],
          [("dsa0", 1)])


def test_complete(world):
    begin(world)
    for word, want in (("adopt", []), ("release", ["dsa0"]), ("destroy", [UUID]),
                       ("start", [UUID, SECOND]), ("types", [DSA_TYPE, SHARED_TYPE]), ("create", []),
                       ("why", ["wq0.0", "wq0.1", "wq0.2", "wq0.3"])):
        equal(sorted(world.ok("--complete", word).out.split()), sorted(want), word)


def test_complete_starts_nothing_stopped(world):
    equal(world.ctl("--complete", "destroy").out, "")


def bash(world, line):
    """What bash would offer behind @line."""
    words = line.split(" ")
    script = f"""
        . {SOURCE}/completion/idxdctl.bash
        COMP_WORDS=({" ".join(repr(w) for w in words)}) COMP_CWORD={len(words) - 1}
        _idxdctl idxdctl {words[-1]!r} {words[-2]!r}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True,
                          env={**world.env, "PATH": harness.BUILD + ":" + os.environ["PATH"]})
    equal(done.stderr, "", line)
    return sorted(done.stdout.split())


def test_bash_completion(world):
    begin(world)
    verbs = sorted(world.ok("--list-verbs").out.split())
    for line, want in (("idxdctl ", verbs), ("idxdctl cap", ["capacity"]), ("idxdctl destroy ", [UUID]),
                       ("idxdctl xml 6f0c1a52-a", [SECOND]),
                       ("idxdctl create --type ", [DSA_TYPE, SHARED_TYPE]),
                       ("idxdctl create -p ", ["dsa0"]), ("idxdctl -o json ", verbs),
                       ("idxdctl list -o j", ["json", "jsonl"]), ("idxdctl why --no-ask-password wq0.3",
                                                                  ["wq0.3"]),
                       ("idxdctl list --no-p", ["--no-pager"])):
        equal(bash(world, line), want, line)


def test_other_shells_know_every_option_that_takes_a_value(world):
    """And parse, where that shell is installed."""
    options = re.findall(r"^ +(?:-(\w))? *--([\w-]+) [A-Z]", world.ok("--help").out, re.M)
    equal(len(options) > 10, True, "options with a value")
    for name in ("idxdctl.bash", "_idxdctl"):
        with open(os.path.join(SOURCE, "completion", name), encoding="utf-8") as f:
            words = set(re.findall(r"(?<![\w-])--?[\w-]+", f.read()))
        wanted = {w for short, long in options if long != "complete"
                  for w in ([f"-{short}"] if short else []) + [f"--{long}"]}
        equal(wanted - words, set(), name)
    for shell, name in (("zsh", "_idxdctl"), ("fish", "idxdctl.fish"), ("bash", "idxdctl.bash")):
        if shutil.which(shell):
            subprocess.run([shell, "-n", os.path.join(SOURCE, "completion", name)], check=True,
                           timeout=PATIENCE)


harness.main(globals())
