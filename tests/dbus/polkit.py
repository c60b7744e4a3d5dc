#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who may do what: each method as each kind of user, with a stand-in for polkit (authority.c).

The real polkitd answers in the lab's test daemon-polkit.
"""

import json
import os
import pwd
import subprocess
import sys

import harness
from harness import DSA_TYPE, accelerator, contains, equal, on

# Asks as another user: lines of [[method, signature, arguments, may ask], ...] in, sent all at once;
# lines of answers out, each "ok" or [error name, message].
CLIENT = """
import json, sys
import dbus.bus, dbus.lowlevel
bus = dbus.bus.BusConnection(sys.argv[1])
print(bus.get_unique_name(), flush=True)
for line in sys.stdin:
    answers, pending = {}, []
    for i, (member, signature, args, ask) in enumerate(json.loads(line)):
        m = dbus.lowlevel.MethodCallMessage("org.idxdvd1", "/org/idxdvd1", "org.idxdvd1.Manager",
                                            member)
        m.append(*args, signature=signature)
        m.set_allow_interactive_authorization(ask)
        def done(reply, i=i):
            name = getattr(reply, "get_error_name", lambda: None)()
            answers[i] = [name, reply.get_args_list()[0]] if name else "ok"
        pending.append(bus.send_message_with_reply(m, done, 60.0))
    for call in pending:
        call.block()
    print(json.dumps([answers[i] for i in sorted(answers)]), flush=True)
"""

DENIED = "org.freedesktop.DBus.Error.AccessDenied"
CHALLENGE = "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
LIMITS = "org.freedesktop.DBus.Error.LimitsExceeded"
UUID = "6f0c1a52-94a8-4a4e-9d0b-3a6b0f3c2b11"
DEFINED = "00c0ffee-94a8-4a4e-9d0b-3a6b0f3c2b11"
NAMES = ("list-holders", "manage-mdev", "define", "manage-wq", "apply", "drain", "force",
         "override-unsafe-device")
# The bus lets only users in that the machine knows; any will do.
USERS = sorted({p.pw_uid for p in pwd.getpwall()} - {0, os.geteuid()})[:4 + len(NAMES)]
if len(USERS) < 4 + len(NAMES):
    harness.skip(f"this machine knows only {len(USERS)} other users")
NOBODY, NEEDS_PASSWORD, BROKEN, SLOW = USERS[:4]
# Who may do just that.
ACTIONS = {f"org.idxdvd1.{name}": uid for name, uid in zip(NAMES, USERS[4:])}
OPERATOR = ACTIONS["org.idxdvd1.manage-mdev"]
MACHINE = (accelerator(), accelerator(address="0000:6f:01.0"), accelerator(address="0000:74:01.0"),
           accelerator(address="0000:79:01.0", device="0b25"))


class Client:
    """A connection of its own, as that user."""

    def __init__(self, world, uid):
        # Built for coverage or not, it is Python: nothing of ours runs as that user.
        self.process = subprocess.Popen(
            ["setpriv", f"--reuid={uid}", "--clear-groups", sys.executable, "-c", CLIENT,
             world.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.name = self.process.stdout.readline().strip()
        if not self.name.startswith(":"):
            raise AssertionError(f"user {uid} could not connect")

    def send(self, *calls):
        self.process.stdin.write(json.dumps(calls) + "\n")
        self.process.stdin.flush()

    def answers(self):
        return json.loads(self.process.stdout.readline())

    def ask(self, *call):
        self.send(list(call) + [False] * (4 - len(call)))
        return self.answers()[0]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Authority:
    """The stand-in: rules are lines of (user, action, answer), the first that fits counts."""

    def __init__(self, world, *rules):
        self.world = world
        self.rules = os.path.join(world.dir, "rules")
        self.log = os.path.join(world.dir, "authority")
        with open(self.rules, "w", encoding="ascii") as f:
            f.writelines(f"{uid} {action} {answer}\n" for uid, action, answer in rules)
        open(self.log, "w", encoding="ascii").close()
        self.process = subprocess.Popen(
            [os.path.join(harness.BUILD, "tests", "dbus", "authority"), self.rules, self.log],
            env=world.env)
        world.wait(lambda: world.bus().name_has_owner("org.freedesktop.PolicyKit1"), "authority")

    def lines(self):
        with open(self.log, encoding="ascii") as f:
            return f.read().splitlines()

    def questions(self):
        """[(user, action, flags, {detail: value})]"""
        found = []
        for line in self.lines():
            word, *rest = line.split(" ")
            if word == "check":
                uid, action, flags, _, *details = rest
                found.append((int(uid), action, int(flags),
                              dict(d.split("=", 1) for d in details)))
        return found

    def cancelled(self):
        asked = [line.split(" ")[4] for line in self.lines() if line.startswith("check ")]
        return [asked.index(line.split(" ")[1]) for line in self.lines()
                if line.startswith("cancel ")]

    def answer(self, yes):
        """To all that wait."""
        return int(self.world.bus().call_blocking(
            "org.freedesktop.PolicyKit1", "/org/freedesktop/PolicyKit1/Authority",
            "org.idxdvd1.Test", "Answer", "b", [yes]))

    def close(self):
        self.process.kill()
        self.process.wait()


def with_authority(*rules):
    """Decorator: the test gets an authority too, on a machine where dsa0, dsa1 and dsa3, which is under
    the erratum, are adopted, with an mdev on dsa0 and a definition for it."""
    def mark(function):
        def test(world):
            if os.geteuid() != 0:
                raise harness.Skipped("not root, so there are no other users to play")
            world.adopt("dsa0")
            world.adopt("dsa1")
            world.adopt("dsa3")
            world.create(uuid=UUID, parent="dsa0")
            world.define(uuid=DEFINED, parent="dsa0")
            world.refresh()
            authority = Authority(world, *rules)
            try:
                function(world, authority)
            finally:
                authority.close()
        test.topology = harness.topology(*MACHINE, **{"allow-unsafe": True})
        return test
    return mark


def matrix(world):
    """Each method that is not for everybody: the call, the action, what polkit is told."""
    dry = {"dry-run": True}
    document = str(world.call("Export", signature=""))

    def row(member, word, action, options=dry, **details):
        return ([member, "sa{sv}", [word, options]], f"org.idxdvd1.{action}",
                {"method": member, **details})
    mdev = {"device": "dsa0", "type": DSA_TYPE, "uuid": UUID}
    defined = {"device": "dsa0", "type": DSA_TYPE, "uuid": DEFINED}
    return [
        row("Adopt", "dsa2", "manage-wq", device="dsa2"),
        # By whatever name it was called.
        row("Release", "0000:6f:01.0", "manage-wq", device="dsa1"),
        row("AllowUnsafe", "dsa3", "override-unsafe-device", device="dsa3"),
        row("ForbidUnsafe", "dsa3", "manage-wq", device="dsa3"),
        row("CreateMdev", DSA_TYPE, "manage-mdev", type=DSA_TYPE),
        row("CreateMdev", DSA_TYPE, "manage-mdev", {"parent": "0000:6a:01.0", "wq": "wq0.1", **dry},
            type=DSA_TYPE, device="dsa0", wq="wq0.1"),
        row("DestroyMdev", UUID, "manage-mdev", **mdev),
        row("Stop", UUID.upper(), "manage-mdev", **mdev),
        row("DestroyMdev", UUID, "force", {"force": True, **dry}, **mdev),
        row("Release", "dsa1", "force", {"force": True, **dry}, device="dsa1"),
        row("Drain", UUID, "drain", **mdev),
        row("Drain", "wq1.2", "drain", device="dsa1", wq="wq1.2"),
        row("Start", DEFINED, "manage-mdev", **defined),
        row("Define", DSA_TYPE, "define", {"parent": "dsa1", **dry}, type=DSA_TYPE, device="dsa1"),
        row("Modify", DEFINED, "define", {"autostart": True, **dry}, **defined),
        row("Undefine", DEFINED, "define", **defined),
        row("Apply", document, "apply"),
        (["ListHolders", "s", [""]], "org.idxdvd1.list-holders", {"method": "ListHolders"}),
        (["ListHolders", "s", ["wq1.2"]], "org.idxdvd1.list-holders",
         {"method": "ListHolders", "device": "dsa1", "wq": "wq1.2"}),
    ]


@with_authority(*((uid, action, "yes") for action, uid in ACTIONS.items()),
                (NEEDS_PASSWORD, "*", "challenge"), (BROKEN, "*", "error"))
def test_matrix(world, authority):
    before = world.ok("list", "--json").out
    rows = matrix(world)
    asked, cells = [], 0
    for uid in (0, NOBODY, NEEDS_PASSWORD, BROKEN, *ACTIONS.values()):
        client = Client(world, uid)
        for call, action, details in rows:
            for may_ask in (False, True) if uid == NEEDS_PASSWORD else (False,):
                got = client.ask(*call, may_ask)
                allowed = uid in (0, ACTIONS[action]) or (uid == NEEDS_PASSWORD and may_ask)
                want = "ok" if allowed else CHALLENGE if uid == NEEDS_PASSWORD else DENIED
                equal(got if got == "ok" else got[0], want, f"user {uid}, {call}: {got}")
                if got != "ok":
                    contains(got[1], action, str(uid), "become root")
                if uid:
                    asked.append((uid, action, int(may_ask), details))
                cells += 1
        client.kill()
    equal(authority.questions(), asked, "what polkit was asked")
    equal({action for _, action, _ in rows}, set(ACTIONS), "actions that are in the matrix")
    equal(world.ok("list", "--json").out, before, "the machine after dry runs and refusals")
    print(f"    {cells} cells, {len(asked)} questions")


@with_authority()
def test_everybody_may_look(world, authority):
    client = Client(world, NOBODY)
    for member, signature, args in (("Explain", "s", ["wq0.0"]), ("Export", "", []),
                                    ("GetCapacity", "", []), ("ListTypes", "", []),
                                    ("Refresh", "", [])):
        equal(client.ask(member, signature, args), "ok", member)
    client.kill()
    equal(authority.lines(), [], "what polkit was asked")


@with_authority((OPERATOR, "org.idxdvd1.manage-mdev", "yes"))
def test_operator(world, authority):
    """What is allowed is done, what is not is not, and the log says who was allowed what."""
    made = world.ok("create", "--parent", "dsa1", user=str(OPERATOR)).out.strip()
    equal(made in world.mdevs(), True)
    world.ok("destroy", made, user=str(OPERATOR))
    equal(made in world.mdevs(), False)
    result = world.ctl("release", "dsa1", user=str(OPERATOR))
    equal((result.status, result.out), (4, ""), result.err)
    contains(result.err, "org.idxdvd1.manage-wq", f"user {OPERATOR} may not")
    result = world.ctl("cancel", user=str(OPERATOR))
    equal(result.status, 4, result.err)
    contains(result.err, "org.idxdvd1.apply", f"user {OPERATOR} may not")
    log = world.read_log()
    contains(log, "org.idxdvd1.manage-mdev: polkit allows it to "
             f"user {OPERATOR} (method=CreateMdev device=dsa1 type={DSA_TYPE})",
             f"org.idxdvd1.manage-wq: polkit refuses it to user {OPERATOR} "
             "(method=Release device=dsa1)")


OVERRIDE = "org.idxdvd1.override-unsafe-device"


@with_authority((ACTIONS[OVERRIDE], OVERRIDE, "yes"), (OPERATOR, "org.idxdvd1.manage-mdev", "yes"))
def test_override_of_the_erratum(world, authority):
    """Whoever may make mdevs may not do that, and whoever does it is named in the log."""
    user, operator = str(ACTIONS[OVERRIDE]), str(OPERATOR)
    equal(world.ctl("create", "-p", "dsa3", user=operator).status, 7)
    equal(world.ctl("trust", "dsa3", user=operator).status, 4)
    equal("audit:" in world.read_log(), False, "an audit record of what was refused")
    world.ok("trust", "dsa3", user=user)
    contains(world.read_log(), f"audit: {OVERRIDE} by user {user} (logged in as ",
             f"idxdctl): method=AllowUnsafe device=dsa3", "dsa3: trust done, 1 steps")
    made = world.ok("create", "-p", "dsa3", user=operator).out.strip()
    world.ok("destroy", made, user=operator)
    world.ok("distrust", "dsa3")
    equal(world.ctl("create", "-p", "dsa3", user=operator).status, 7)
    world.ok("trust", "dsa3")
    contains(world.read_log(), f"audit: {OVERRIDE} by user 0 ")
    equal([(uid, action) for uid, action, _, _ in authority.questions() if action == OVERRIDE],
          [(OPERATOR, OVERRIDE), (int(user), OVERRIDE)])


@with_authority((NEEDS_PASSWORD, "*", "challenge"))
def test_idxdctl_password(world, authority):
    user = str(NEEDS_PASSWORD)
    world.ok("create", "--dry-run", user=user)
    result = world.ctl("create", "--dry-run", "--no-ask-password", user=user)
    equal((result.status, result.out), (4, ""), result.err)
    contains(result.err, "has to authenticate first")
    equal([flags for _, _, flags, _ in authority.questions()], [1, 0], "interactive")


@on(*MACHINE)
def test_without_polkit(world):
    if os.geteuid() != 0:
        raise harness.Skipped("not root, so there are no other users to play")
    world.adopt("dsa0")
    before = world.ok("list", "--json").out
    client = Client(world, NOBODY)
    name, text = client.ask("CreateMdev", "sa{sv}", [DSA_TYPE, {}])
    client.kill()
    equal(name, DENIED)
    contains(text, "polkit gave no answer", "become root")
    equal(world.ok("list", "--json").out, before)


CREATE = ["CreateMdev", "sa{sv}", [DSA_TYPE, {"parent": "dsa1"}], False]


def vanish(rule, late):
    """The sender goes while polkit thinks: nothing is done, whatever polkit says afterwards."""
    @with_authority((SLOW, "*", rule))
    def test(world, authority):
        before = world.ok("list", "--json").out
        client = Client(world, SLOW)
        client.send(CREATE)
        world.wait(lambda: len(authority.questions()) == 1, "the question")
        # Meanwhile others are served.
        made, _ = world.create(parent="dsa1")
        world.destroy(made)
        client.kill()
        world.wait(lambda: authority.cancelled() == [0], "the cancellation")
        equal(authority.answer(True), late, "answers after that")
        world.refresh()
        equal(world.ok("list", "--json").out, before)
        contains(world.read_log(), "the caller went away while polkit was asked")
        # The room it took is there again.
        client = Client(world, SLOW)
        client.send(*[CREATE] * 16)
        world.wait(lambda: len(authority.questions()) == 17, "the questions")
        authority.answer(False)
        equal([a[0] for a in client.answers()], [DENIED] * 16)
        client.kill()
    return test


test_sender_vanishes = vanish("wait", 0)
test_sender_vanishes_and_polkit_does_not_care = vanish("stubborn", 1)


@with_authority((SLOW, "*", "wait"), (OPERATOR, "*", "yes"))
def test_limit_of_one_user(world, authority):
    call = ["CreateMdev", "sa{sv}", [DSA_TYPE, {"parent": "dsa1", "dry-run": True}], False]
    slow, other, second = Client(world, SLOW), Client(world, OPERATOR), Client(world, SLOW)
    slow.send(*[call] * 16)
    world.wait(lambda: len(authority.questions()) == 16, "the questions")
    # Another connection does not help.
    name, text = second.ask(*call)
    equal(name, LIMITS, text)
    contains(text, f"16 requests of user {SLOW}")
    equal(second.ask("Refresh", "", [])[0], LIMITS)
    equal(other.ask(*call), "ok")
    world.create(parent="dsa1")
    equal(authority.answer(True), 16)
    equal(slow.answers(), ["ok"] * 16)
    equal(second.ask("Refresh", "", []), "ok")
    for client in (slow, other, second):
        client.kill()


@with_authority((SLOW, "*", "wait"))
def test_state_changes_while_polkit_is_asked(world, authority):
    """The same UUID on another device is not what was allowed."""
    client = Client(world, SLOW)
    client.send(["DestroyMdev", "sa{sv}", [UUID, {}], False])
    world.wait(lambda: len(authority.questions()) == 1, "the question")
    equal(authority.questions()[0][3]["device"], "dsa0")
    world.destroy(UUID)
    world.create(uuid=UUID, parent="dsa1")
    equal(authority.answer(True), 1)
    name, text = client.answers()[0]
    equal(name, DENIED, text)
    contains(text, "has changed while polkit was asked")
    equal(UUID in world.mdevs(), True)
    client.kill()


@with_authority((SLOW, "*", "wait"))
def test_daemon_stops_while_polkit_is_asked(world, authority):
    client = Client(world, SLOW)
    client.send(CREATE)
    world.wait(lambda: len(authority.questions()) == 1, "the question")
    world.stop()
    name, text = client.answers()[0]
    equal(name, "org.idxdvd1.Error.ShuttingDown", text)
    world.wait(lambda: authority.cancelled() == [0], "the cancellation")
    client.kill()
    world.start()
    equal(world.mdevs(), [UUID])


@with_authority((OPERATOR, "org.idxdvd1.manage-mdev", "yes"))
def test_quota(world, authority):
    """What polkit allows is still bound by the policy; what it does not is refused before."""
    world.stop()
    with open(os.path.join(world.state_dir, "policy.json"), "w", encoding="ascii") as f:
        json.dump({"quota": 1}, f)
    world.start()
    operator, nobody = Client(world, OPERATOR), Client(world, NOBODY)
    create = ("CreateMdev", "sa{sv}", [DSA_TYPE, {"parent": "dsa1"}])
    start = ("Start", "sa{sv}", [DEFINED, {}])
    equal(operator.ask(*create), "ok")
    for call in (create, start):
        name, text = operator.ask(*call)
        equal(name, "org.idxdvd1.Error.QuotaExceeded", text)
        contains(text, f"user {OPERATOR}", "the policy allows 1 mdevs, and 1 are there")
    equal(nobody.ask(*create)[0], DENIED)
    world.create(parent="dsa1")
    # Root's do not count for others, and removing them makes no room.
    equal(operator.ask("DestroyMdev", "sa{sv}", [UUID, {}]), "ok")
    equal(operator.ask(*create)[0], "org.idxdvd1.Error.QuotaExceeded")
    own = [m["uuid"] for a in world.ok("list", "--json").json()["accelerators"]
           for m in a["mdevs"] if m["owner"] == OPERATOR]
    equal(len(own), 1)
    equal(json.loads(world.ok("capacity", "--json", user=OPERATOR).out)["capacity"][0]
          ["quota_left"], 0)
    equal(operator.ask("DestroyMdev", "sa{sv}", own + [{}]), "ok")
    equal(operator.ask(*start), "ok")
    equal(operator.ask(*create)[0], "org.idxdvd1.Error.QuotaExceeded")
    operator.kill()
    nobody.kill()


harness.main(globals(), needs=("setpriv",))
