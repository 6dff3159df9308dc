"""The operations on ordered queues that the walkers walk through; operations.py says what an entry is.

The queue `jobs` keeps an order. Beside what an entry stages in it there are always a group whose first message is in flight
for a day, with a second one behind it, and a group of one message, whose turn comes last.
"""

import json
import subprocess
import time

from crash.operations import ANY, Operation, topic
from shared import spool

A = ("-g", "a")
LEASE = 86_400_000_000  # µs; longer than any walk


def sent(*bodies, options=(), settings=()):
    """Messages of a group, each in a file of its own."""

    def stage(stage):
        configure(stage, settings)
        for body in bodies:
            stage.send(body, *A, *options)

    return stage


def lines(*bodies, options=(), settings=()):
    """Messages of a group that share a file."""

    def stage(stage):
        configure(stage, settings)
        send_lines(stage, bodies, *options)

    return stage


def configure(stage, settings):
    for setting in settings:
        stage.do("mq-queue", "config", "jobs", setting)


def send_lines(stage, bodies, *options, queue="jobs"):
    data = "".join(f"{body}\n" for body in bodies)
    stage.do("mq-send", "-q", "--no-sync", "-l", "--linger=1m", *A, *options, queue, data=data)


def claimed(before, lease="1d"):
    """The receipt of the group's first message."""

    def stage(stage):
        before(stage)
        return stage.claim("-t", lease)

    return stage


def id_of(body, stage, queue="jobs"):
    return next(message.id for message in spool.read(stage.path) if (message.queue, message.body) == (queue, body.encode()))


def named(body, before):
    """The id of one of the messages."""

    def stage(stage):
        before(stage)
        return id_of(body, stage)

    return stage


def claimed_and_named(body, before):
    def stage(stage):
        before(stage)
        stage.claim("-t", "1d")
        return id_of(body, stage)

    return stage


def rejected(before):
    """The group's first message is dead."""

    def stage(stage):
        stage.do("mq-ack", "--reject", claimed(before)(stage))

    return stage


def claimed_together(before, lease="1ms"):
    """A consumer was killed that had claimed all messages of a file, as it was about to print them."""

    def stage(stage):
        before(stage)
        killed = ("strace", "-o", "/dev/null", "-e", "inject=write,writev,pwritev2:signal=KILL:when=1")
        stage.run(*killed, "mq-recv", "-a", "-l", "-n", "3", "--no-wait", "-t", lease, "jobs")
        if not list(stage.path.glob("jobs/inflight/*/*.n3.*")):
            raise RuntimeError("not claimed together")

    return stage


def at_rest(stage):
    """A receiver has emptied the group again and again, and has let it rest; for as long as the walk takes."""
    words = ("mq-recv", "-a", "-l", "-n", "3", "-w", "10s", "jobs")
    with subprocess.Popen(words, env=stage.environment, stdout=subprocess.PIPE, bufsize=0) as receiver:
        for number in range(3):
            stage.send(f"rest {number}", *A)
            receiver.stdout.readline()
    (note,) = stage.path.glob("jobs/lanes/*/rest.*")
    (token,) = stage.path.glob(f"jobs/inflight/*/{note.name[5:]}")
    deadline = (time.time_ns() // 1000 + LEASE) >> 24 << 24
    name = f"{deadline:013x}.{token.name.partition('.')[2]}"
    (bucket := token.parent.with_name(f"{deadline:013x}")).mkdir(exist_ok=True)
    token.rename(bucket / name)
    note.rename(note.with_name(f"rest.{name}"))


def without_token(stage):
    """As a loss of power may leave a lane."""
    lines("a1", "a2", "a3")(stage)
    stage.send("a4", *A)
    (token,) = (path for path in stage.path.glob("jobs/ready/*/*") if spool.TOKEN.search(path.name))
    token.unlink()


def in_plain_queue(before):
    """The same in a queue without an order."""

    def stage(stage):
        stage.create("other")
        before(stage)

    return stage


def lines_of_other(stage):
    stage.create("other")
    stage.send("a1", *A)
    send_lines(stage, ("a2", "a3", "a4"), queue="other")


def dead_of_other(stage):
    stage.create("other")
    stage.send("a2", *A, queue="other")
    stage.do("mq-ack", "--reject", stage.claim(queue="other"))
    stage.send("a1", *A)


def to_ordered(before):
    def stage(stage):
        stage.create("other", "order=group")
        return before(stage)

    return stage


def transaction(stage):
    """A claim that is acked, and messages of this group and of a new one."""
    stage.create("idle")
    receipt = claimed(lines("a1", "a2"))(stage)
    tx = stage.do("mq-tx", "begin", "-t", "1d").strip()
    stage.do("mq-send", "-q", "--no-sync", *A, "--tx", tx, "jobs", "a3")
    stage.do("mq-send", "-q", "--no-sync", "-g", "b", "--tx", tx, "jobs", "b1")
    return f"--ack={receipt}", tx


def published(stage):
    stage.send("a1", *A)
    topic(stage)


def full(stage):
    configure(stage, ("max-depth=4", "overflow=dead-oldest"))
    for body in ("a1", "a2"):
        stage.send(body, *A)
    configure(stage, ("max-depth=3",))


def ordered(name, command, stage=lambda stage: None, **more):
    facts = {"order": "group", "partial": True, "again": False} | more
    return Operation(f"{name}, in order", command, stage, **facts)


def settle(name, options, before, **more):
    return ordered(name, ("mq-ack", *options, "{}"), claimed(before), **more)


def sweep(name, stage, **more):
    return ordered(name, ("mq-queue", "sweep", "jobs"), stage, **more)


def moved(name, stage, *words, **more):
    return ordered(name, ("mq-queue", "move", "jobs", "other", *words), stage, **more)


def taken(name, count, stage, **more):
    """Each is in flight for a while, and then gone."""
    passes = (("inflight", 1),)
    return ordered(name, ("mq-recv", "-a", "-l", f"-n{count}", "--no-wait", "jobs"), stage, passes=passes, removes=True, **more)


SEND = ("mq-send", *A, "jobs")
CLAIM = ("mq-recv", "--no-wait", "jobs")
THREE = ("a1", "a2", "a3")
MANY = "".join(json.dumps({"body": f"{group}{n}", "group": group}) + "\n" for n in (2, 3, 4) for group in "ab")
LAST = "max-attempts=1"
HALTS = "on-dead=halt"

ORDERED = [
    ordered("send to a new group", (*SEND, "a1"), main=True),
    ordered("send to a group", (*SEND, "a2"), sent("a1"), main=True),
    ordered("send to a group at rest", (*SEND, "a1"), at_rest, main=True),
    ordered("send for later", (*SEND, "-d1d", "a2"), sent("a1")),
    ordered("send for later to a new group", (*SEND, "-d1d", "a1")),
    ordered("send lines", ("mq-send", "-l", *A, "jobs"), sent("a1"), data="a2\na3\na4\n"),
    ordered("send lines of several groups", ("mq-send", "-j", "jobs"), sent("a1"), data=MANY),
    ordered("send once", ("mq-send", "--once", "-i", "once", *A, "jobs", "a2"), sent("a1")),
    ordered("send once to a new group", ("mq-send", "--once", "-i", "once", *A, "jobs", "a1")),
    ordered("publication", ("mq-send", *A, "events", "to all"), published, whole=True, does=".committed", unsynced=True),
    ordered("send, and the oldest ends", (*SEND, "a3"), full, leaves={("ready", 0): ANY}),
    ordered("claim", CLAIM, sent("a1", "a2"), main=True),
    ordered("claim of one of several", CLAIM, lines(*THREE), main=True),
    taken("claim and ack of all", 2, sent("a1", "a2")),
    taken("claim and ack of a file", 3, lines(*THREE)),
    taken("claim and ack of some of a file", 2, lines(*THREE)),
    ordered(
        "work as one",
        ("mq-recv", "--no-wait", "--tx", "jobs", "--", "mq-send", "-q", *A, "other", "result"),
        lambda stage: [lines("a1", "a2")(stage), stage.create("other"), stage.create("idle")] and None,
        passes=(("inflight", 1), ("ready", 0), ("delayed", 1), ("ready", 1)),
        whole=True,
        removes=True,
        unsynced=True,
    ),
    settle("ack", (), sent("a1", "a2"), main=True, removes=True),
    settle("ack of the last", (), sent("a1"), main=True, removes=True, does="AT_REMOVEDIR"),
    settle("ack of one of several", (), lines(*THREE), main=True, removes=True),
    settle("nack at once", ("--nack", "--delay=0"), sent("a1", "a2")),
    settle("nack with a delay", ("--nack", "--delay=1h"), lines(*THREE)),
    settle("release", ("--release",), lines(*THREE)),
    settle("extend", ("--extend=2d",), lines(*THREE)),
    settle("reject", ("--reject",), sent("a1", "a2"), main=True),
    settle("reject of the last", ("--reject",), sent("a1")),
    settle("reject of one of several", ("--reject",), lines(*THREE), main=True),
    settle("last nack", ("--nack",), lines(*THREE, settings=(LAST,))),
    settle("reject, and the group halts", ("--reject",), lines(*THREE, settings=(HALTS,)), main=True),
    sweep("deadline passed", claimed(lines(*THREE), "1ms")),
    sweep("deadline of several passed", claimed_together(lines(*THREE))),
    sweep("last deadline passed", claimed(sent("a1", "a2", settings=(LAST,)), "1ms")),
    sweep("last deadline of one of several passed", claimed(lines(*THREE, settings=(LAST,)), "1ms")),
    sweep("last deadline of several passed", claimed_together(lines(*THREE, settings=(LAST,)))),
    sweep("last deadline passed, and the group halts", claimed(sent("a1", "a2", settings=(LAST, HALTS)), "1ms")),
    ordered("last deadline passed, at a claim", CLAIM, claimed(lines(*THREE, settings=(LAST,)), "1ms"), passes=(("ready", 0),)),
    sweep("due", sent("a1", "a2", options=("-d", "1ms"))),
    sweep("expiry", lines(*THREE, options=("--ttl", "1ms"))),
    ordered("expiry, at a claim", CLAIM, lambda stage: [lines("a1", "a2", options=("--ttl", "1ms"))(stage), stage.send("a3", *A)] and None),
    sweep("expiry, dropped", lines(*THREE, options=("--ttl", "1ms"), settings=("on-expiry=drop",)), removes=True),
    sweep("lane without a token", without_token),
    ordered("repair of a lane without a token", ("mq-queue", "check", "--repair", "jobs"), without_token),
    ordered("removal of the first of a file", ("mq-queue", "remove", "jobs", "{}"), named("a1", lines(*THREE)), removes=True),
    ordered("removal of one of a file", ("mq-queue", "remove", "jobs", "{}"), named("a2", lines(*THREE)), removes=True, main=True),
    ordered("removal behind a claim", ("mq-queue", "remove", "jobs", "{}"), claimed_and_named("a2", lines(*THREE)), removes=True),
    ordered("removal of a file", ("mq-queue", "remove", "jobs", "{}"), named("a2", sent(*THREE)), removes=True),
    ordered("purge", ("mq-queue", "purge", "--all", "jobs"), lines(*THREE), removes=True),
    ordered("claim past what was removed", CLAIM, lambda stage: stage.do("mq-queue", "remove", "jobs", named("a1", lines(*THREE))(stage)) and None),
    moved("move of one of a file", named("a2", in_plain_queue(lines(*THREE))), "{}"),
    moved("move of a head", named("a1", in_plain_queue(sent(*THREE))), "{}"),
    moved("move of one of a file to another ordered queue", named("a2", to_ordered(lines(*THREE))), "{}"),
    moved("move of a group", to_ordered(lines(*THREE))),
    moved("move of a dead letter", to_ordered(rejected(lines(*THREE))), "--state=dead"),
    ordered("move of some of a file into a group", ("mq-queue", "move", "-n2", "other", "jobs"), lines_of_other),
    ordered("retry from another queue", ("mq-dlq", "retry", "--to=jobs", "other"), dead_of_other),
    ordered("retry", ("mq-dlq", "retry", "jobs"), rejected(lines(*THREE)), main=True),
    ordered("retry into a new lane", ("mq-dlq", "retry", "jobs"), rejected(sent("a1"))),
    ordered("retry into a group that halts", ("mq-dlq", "retry", "jobs"), rejected(lines(*THREE, settings=(HALTS,)))),
    ordered("purge of what a group halts for", ("mq-dlq", "purge", "--all", "jobs"),
            rejected(sent(*THREE, settings=(HALTS,))), removes=True),
    ordered("commit", ("mq-tx", "commit", "{}"), transaction, whole=True, removes=True, does=".committed", unsynced=True),
]
