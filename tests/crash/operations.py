"""Every operation that the walkers walk through: what it finds, and the command that does it.

To add one, add an entry: its name, the command, and a function that stages what the command finds in the queue
`jobs` beside the two bystanders that are always there: one message in flight for a day, and one that is ready,
with the lowest priority. What the function returns, a word or several, takes the place of {} in the command.

Where an entry gives a mode, queues are shared: users.OWNER owns them, and does what no other user is given for.
"""

import fcntl
import os
from contextlib import contextmanager, nullcontext
from typing import Callable, NamedTuple

from crash.handles import HELD, had_open, dynamic, later
from crash.tracing import FAULTS
from shared import spool, users

ANY = " ".join(FAULTS.values())
NO_ROOM = "ENOSPC EDQUOT"
OLD = 40 * 3600  # seconds; what is so old in tmp/ no live process is at
FAILED = 123  # the exit status of mq-recv where a command failed


class Operation(NamedTuple):
    name: str
    command: tuple
    stage: Callable = lambda stage: None
    main: bool = False  # walked whole in the short form, too
    passes: tuple = ()  # what a message may be left as besides what it was and what it becomes: (state, attempts)
    partial: bool = False  # it is of several steps, each done by itself: when one fails others are done
    whole: bool = False  # all of it happens or nothing
    again: bool = True  # given again at once after a failure it does all that it did not
    does: str = ""  # the system call that it is about: its name, or what strace shows of it
    removes: bool = False  # messages, which all others never do
    leaves: dict = {}  # as what it leaves a message that it fails to move or to read, and for which errors
    hides: str = ""  # errors for which a message may stay in a held queue, as where it is others' to give back
    unsynced: bool = False  # nobody was told of what it syncs: it may go on when that fails
    exits: int = 0
    data: str = ""
    also: str = ""  # a fault that is there all the time, as strace's --inject takes it
    around: Callable = lambda path: nullcontext()  # what stands beside the command
    mode: str = ""  # how its queues are shared
    delivers: tuple = ()  # what the group clicks/billing may give in all, as it is without harm first
    user: users.User | None = None  # who runs the command; None: the owner
    order: str = ""  # what the queue `jobs` keeps: group or strict

    @property
    def program(self):
        """Whose name its complaints begin with."""
        return "mq-queue" if self.command[0] == "env" else self.command[0]


def one(stage):
    stage.send("work")


def claimed(*options, settings=()):
    def stage(stage):
        for setting in settings:
            stage.do("mq-queue", "config", "jobs", setting)
        stage.send("work", *options)
        return stage.claim("-t", "1d")

    return stage


def dead(stage):
    stage.do("mq-ack", "--reject", claimed()(stage))


def dead_beside_another_queue(stage):
    stage.create("other")
    dead(stage)


def beside_other(stage_jobs):
    """What is staged in jobs, beside an empty queue."""

    def stage(stage):
        stage.create("other")
        stage_jobs(stage)

    return stage


def published(stage):
    """Bodies that may be in two queues."""
    stage.send("to all 1")
    stage.send("to all 2")


def due(stage):
    stage.send("work", "-d", "1ms")


def lapsed(*settings):
    def stage(stage):
        for setting in settings:
            stage.do("mq-queue", "config", "jobs", setting)
        stage.send("work")
        stage.claim("-t", "1ms")

    return stage


def expired(*settings):
    def stage(stage):
        for setting in settings:
            stage.do("mq-queue", "config", "jobs", setting)
        stage.send("work", "--ttl", "1ms")

    return stage


def much_to_sweep(stage):
    used_up_bucket(stage)
    stage.send("to lapse", "-p", "9")
    stage.claim("-t", "100ms")
    stage.send("to be due", "-d", "100ms")
    stage.send("to expire", "--ttl", "100ms")
    stale = stage.path / "jobs" / "tmp" / "0123456789abcdef"
    stale.write_text("Id: half\n")
    spool.touch_back([stale], OLD)


def full_bucket(stage):
    """256 messages, with the one that is held."""
    stage.do("mq-send", "-q", "--no-sync", "-l", "--batch=1", "jobs", data="".join(f"{n}\n" for n in range(255)))


def used_up_bucket(stage):
    """All of it is done, the one that is held is in flight, and two are in the next bucket."""
    stage.do("mq-send", "-q", "--no-sync", "-l", "--batch=1", "jobs", data="".join(f"{n}\n" for n in range(257)))
    stage.do("mq-recv", "-q", "-a", "-n", "255", "jobs")


def topic_sent_once(stage):
    """As sent_once, for a topic."""
    topic(stage)
    stage.send("first", "--once", "-i", "first", queue="events")
    for queue in ("jobs", "other", "new"):
        stage.do("mq-queue", "purge", "--state=ready", queue)


def sent_once(stage):
    """What was sent once makes the directories that the next one needs."""
    stage.send("first", "--once", "-i", "first")


def left_draft(stage):
    """A sender was killed after it had made its mark."""
    sent_once(stage)
    stage.send("left", "--once", "-i", "once")
    spool.undeliver(stage.path / "jobs", "once")


def ended_slot(stage):
    """The same, and the slot is over."""
    left_draft(stage)
    spool.end_slots(stage.path)


def batch(*options, settings=()):
    """Three messages in one file."""

    def stage(stage):
        for setting in settings:
            stage.do("mq-queue", "config", "jobs", setting)
        stage.do("mq-send", "-q", "--no-sync", "-l", *options, "jobs", data="line 1\nline 2\nline 3\n")

    return stage


def several_ready(stage):
    for n in range(3):
        stage.send(f"work {n}")


def topic(stage):
    """Of three queues, one of which is not there yet."""
    for queue in ("other", "idle"):
        stage.create(queue)
    stage.do("mq-topic", "create", "events")
    for queue in ("jobs", "other", "new"):
        stage.do("mq-topic", "bind", "events", queue)


def transaction(stage):
    """Two messages and a file; and a claim that the commit acks."""
    for queue in ("other", "idle"):
        stage.create(queue)
    stage.send("work")
    receipt = stage.claim("-t", "1d")
    tx = stage.do("mq-tx", "begin", "-t", "1d").strip()
    stage.do("mq-send", "-q", "--no-sync", "--tx", tx, "jobs", "result")
    stage.do("mq-send", "-q", "--no-sync", "--tx", tx, "other", "another")
    stage.do("mq-tx", "put", tx, str(stage.path / "state"), data="new\n")
    return f"--ack={receipt}", tx


def log(stage):
    stage.create("idle")
    stage.do("mq-log", "create", "clicks")
    stage.do("mq-send", "-q", "--no-sync", "clicks", "first")


def full_log(*settings):
    """With a full bucket of many entries."""

    def stage(stage):
        log(stage)
        stage.do("mq-send", "-q", "-l", "--no-sync", "clicks", data="".join(f"line {i}\n" for i in range(4055)))
        stage.do("mq-send", "-q", "-l", "--batch=1", "--no-sync", "clicks", data="".join(f"{i}\n" for i in range(40)))
        for setting in settings:
            stage.do("mq-send", "-q", "--no-sync", "clicks", "next")
            stage.do("mq-log", "config", "clicks", setting)

    return stage


ALL = ("to all 1", "to all 2", "to all 3")


def group(stage):
    """Of a log of two entries, the second of two messages."""
    stage.do("mq-log", "create", "clicks")
    stage.send(ALL[0], queue="clicks")
    stage.do("mq-send", "-q", "-l", "--no-sync", "clicks", data="".join(f"{line}\n" for line in ALL[1:]))
    stage.do("mq-queue", "create", "clicks/billing")


def group_in_the_middle(stage):
    """The next message is the second of its entry."""
    group(stage)
    stage.do("mq-log", "seek", "-q", "clicks/billing", "2")


def left_take(stage):
    """A consumer was killed when it had moved the cursor, and before it had the message."""
    group(stage)
    stage.do("mq-recv", "-q", "--no-wait", "clicks/billing")
    (claim,) = stage.path.glob("clicks/groups/billing/inflight/*/*")
    (cursor,) = stage.path.glob("clicks/groups/billing/cursor/*")
    claim.rename(stage.path / "clicks/groups/billing/tmp" / f"take-{cursor.name}")


def takes(name, stage, *all_that, **more):
    """A claim of a group that holds nothing: whoever dies in it may leave the message ready."""
    command = ("mq-recv", "--no-wait", "clicks/billing")
    facts = {"passes": (("ready", 0),), "again": False, "partial": True, "delivers": (all_that,)} | more
    return Operation(name, command, stage, does="/cursor", **facts)


def transaction_into_log(stage):
    log(stage)
    stage.send("work")
    receipt = stage.claim("-t", "1d")
    tx = stage.do("mq-tx", "begin", "-t", "1d").strip()
    stage.do("mq-send", "-q", "--no-sync", "--tx", tx, "clicks", "result")
    stage.do("mq-send", "-q", "--no-sync", "--tx", tx, "jobs", "another")
    return f"--ack={receipt}", tx


def topic_with_log(stage):
    log(stage)
    stage.do("mq-topic", "create", "events")
    for name in ("jobs", "clicks"):
        stage.do("mq-topic", "bind", "events", name)


def open_transaction(stage):
    return transaction(stage)[-1]


def before_graves(death, *settings):
    """What dies goes on to another queue."""

    def stage(stage):
        for queue in ("graves", "idle"):
            stage.create(queue)
        for setting in ("dead-letter=graves", *settings):
            stage.do("mq-queue", "config", "jobs", setting)
        return death(stage)

    return stage


def left_behind(stage):
    """A dead letter whose death was not followed by that."""
    dead(stage)
    before_graves(lambda stage: None)(stage)


def worker_queues(stage):
    for queue in ("other", "idle"):
        stage.create(queue)
    stage.send("work")


def other_queue(stage):
    stage.create("other")


def full_of_old(stage):
    stage.create("other", "max-depth=1", "overflow=dead-oldest")
    stage.send("old", queue="other")


def other_queue_with_message(stage):
    stage.create("other")
    stage.send("doomed", queue="other")


def held_queue(stage):
    """A deleter was killed, and has left it under a name of its own. The program is the one that can be told a time."""
    other_queue_with_message(stage)
    os.rename(stage.path / "other", stage.path / HELD)
    return dynamic()


@contextmanager
def somebody_leads(path):
    """Hold the lock of waiters/, so that the command follows."""
    directory = os.open(path / "other" / "waiters", os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def drain(name, stage, *options, does="", passes=(), **more):
    """Messages taken by a stream: each is in flight for a while, and then gone."""
    command = ("mq-recv", "-a", "-l", *options, "--no-wait", "jobs")
    passes = (*passes, ("inflight", 1))
    return Operation(name, command, stage, passes=passes, partial=True, again=False, removes=True, does=does, **more)


def work(name, *words, **more):
    """A command for a message: it is claimed, and acked, given back, or dead by what the command comes to."""
    command = ("mq-recv", "--no-wait", *words)
    passes = (("inflight", 1), ("ready", 0), ("delayed", 1))
    return Operation(name, command, one, passes=passes, partial=True, again=False, **more)


def moved(name, stage, *options, command="move", **more):
    """Message after message: each is in one of the two queues."""
    words = ("mq-queue", command, *options, "jobs", "other")
    return Operation(name, words, stage, partial=True, again=False, **more)


def sweep(name, stage, *states, **more):
    """What there is no room for stays in its state, and keeps the rest from nothing."""
    leaves = {(state, int(state == "inflight")): NO_ROOM for state in states}
    return Operation(name, ("mq-queue", "sweep", "jobs"), stage, partial=True, leaves=leaves, **more)


OPENED_BY = {"a sender": False, "a receiver, too,": True}


def goes_on(name, command, stage, **more):
    """A death, and then a transaction, which is for the next one that comes by if it fails."""
    passes = (("dead", 1), ("ready", 1), ("inflight", 1))
    leaves = {("dead", 1): ANY, ("inflight", 1): ANY}
    facts = {"passes": passes, "leaves": leaves, "whole": True, "partial": True, "again": False, "unsynced": True}
    return Operation(f"{name}, and it goes on", command, stage, does=".committed", **facts, **more)


def old_handles(name, stage, who, command, another=False, **more):
    """What renames or removes a queue that others have open; a receiver takes what it finds."""
    around = had_open(OPENED_BY[who], another)
    facts = {"partial": True, "again": False, "around": around} | more
    return Operation(f"{name} that {who} has open", command, stage, **facts)


def gives_back(name, who, command, another=False):
    """A held queue, with its message, gets its name again."""
    # With the clock ahead the claim beside it is over, too, and is left where there is no room to move it.
    leaves = {("inflight", 1): NO_ROOM}
    facts = {"hides": "EACCES EROFS", "unsynced": True, "removes": OPENED_BY[who], "leaves": leaves}
    return old_handles(name, held_queue, who, command, another, **facts)


ONCE = ("mq-send", "--once", "-i", "once", "jobs", "new")

PRIVATE = [
    Operation("send", ("mq-send", "jobs", "new"), main=True),
    Operation("send to a new bucket", ("mq-send", "-p9", "jobs", "new"), main=True),
    Operation("send behind a full bucket", ("mq-send", "jobs", "new"), full_bucket, does="mkdirat"),
    Operation("send to a new queue", ("mq-send", "other", "new"), main=True),
    Operation("send for later", ("mq-send", "-d1d", "jobs", "new")),
    Operation("send a stream", ("mq-send", "jobs"), data="streamed " * 20000),
    Operation("send lines", ("mq-send", "-l", "jobs"), data="line 1\nline 2\nline 3\n", partial=True, again=False),
    Operation(
        "send several batches together",
        ("mq-send", "-l", "--batch=2", "jobs"),
        data="line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n",
        main=True,
        partial=True,
        again=False,
    ),
    Operation(
        "send without O_TMPFILE",
        ("mq-send", "jobs", "new"),
        also="openat:error=EOPNOTSUPP:when={O_TMPFILE}",
        does="O_CREAT|O_EXCL",
    ),
    Operation("send once", ONCE, sent_once, partial=True, does="symlinkat"),
    Operation("send once for the first time", ONCE, partial=True, does="mkdirat"),
    Operation("send once what a dead sender left", ONCE, left_draft, partial=True, does="/tmp>, \"once-"),
    Operation("send once, in a new slot", ONCE, ended_slot, partial=True, does="void-"),
    Operation(
        "send lines once",
        *(("mq-send", "--once", "-l", "jobs"), sent_once),
        data="line 1\nline 2\nline 1\n",
        partial=True,
        again=False,
    ),
    Operation("claim", ("mq-recv", "--no-wait", "jobs"), one, main=True),
    Operation(
        "claim and ack",
        ("mq-recv", "-a", "--no-wait", "jobs"),
        one,
        passes=(("inflight", 1),),
        again=False,
        removes=True,
    ),
    drain("claim and ack several", several_ready, "-n3"),
    Operation("claim of one of a batch", ("mq-recv", "--no-wait", "jobs"), batch(), main=True, does="linkat"),
    drain("claim and ack of a batch", batch(), "-n3"),
    drain("claim and ack of a batch, one after the other", batch(), "-n3", "--ack-every=1"),
    drain("claim and ack of some of a batch", batch(), "-n2", does="linkat"),
    sweep("expiry of a batch", batch("--ttl=1ms"), "ready", does="linkat"),
    sweep("a batch due", batch("--delay=1ms"), "delayed"),
    Operation("purge of a batch", ("mq-queue", "purge", "jobs", "--state=ready"), batch(), partial=True, removes=True),
    work("work done", "jobs", "--", "true", removes=True),
    work("work failed", "jobs", "--", "false", exits=FAILED),
    work("work refused", "--reject-on=1", "jobs", "--", "false", exits=FAILED),
    work("work done once", "--once", "jobs", "--", "true", removes=True),
    Operation("wait, leading", ("mq-recv", "-w50ms", "other"), other_queue, exits=1, does="mknodat"),
    Operation("wait, watching", ("mq-recv", "-w1500ms", "other"), other_queue, exits=1, does="inotify_add_watch"),
    Operation(
        "wait, following",
        ("mq-recv", "-w50ms", "other"),
        other_queue,
        exits=1,
        around=somebody_leads,
        does="mknodat",
    ),
    Operation(
        "publication",
        ("mq-send", "events", "to all"),
        topic,
        main=True,
        whole=True,
        does=".committed",
        unsynced=True, # once it is committed and that is on the disk, whoever comes by carries it out
    ),
    Operation(
        "publication once",
        ("mq-send", "--once", "-i", "once", "events", "to all"),
        topic_sent_once,
        whole=True,
        does=".committed",
        unsynced=True,
    ),
    Operation(
        "commit",
        ("mq-tx", "commit", "{}"),
        transaction,
        whole=True,
        again=False,
        removes=True,
        does=".committed",
        unsynced=True,
    ),
    Operation(
        "commit into a log",
        ("mq-tx", "commit", "{}"),
        transaction_into_log,
        whole=True,
        again=False,
        removes=True,
        does=".committed",
        unsynced=True,
    ),
    Operation(
        "publication to a log",
        ("mq-send", "events", "to all"),
        topic_with_log,
        whole=True,
        does=".committed",
        unsynced=True,
    ),
    Operation("append", ("mq-send", "clicks", "new"), log, does="linkat"),
    # What is linked stays, although the bucket before it cannot be synced: nothing is taken back from a log.
    Operation("append and pack", ("mq-send", "clicks", "new"), full_log(), partial=True, again=False, does="RENAME_EXCHANGE"),
    Operation("append once", ("mq-send", "--once", "-i", "one", "clicks", "new"), log, does="log/"),
    Operation("trim", ("mq-log", "trim", "clicks"), full_log("retain-count=1"), partial=True, removes=True, does="begin"),
    Operation("pack", ("mq-log", "trim", "clicks"), full_log(), does="RENAME_EXCHANGE"),
    takes("take of a group", group, *ALL),
    takes("take of one of an entry", group_in_the_middle, ALL[2]),
    takes("take that was left", left_take, *ALL),
    Operation("seek to the end", ("mq-log", "seek", "clicks/billing", "end"), group, delivers=((), ALL), does="/cursor"),
    Operation("replay", ("mq-log", "seek", "clicks/billing", "beginning"), left_take, partial=True, again=False,
              passes=(("ready", 0),), delivers=((*ALL, ALL[0]), ALL), does="/cursor"),
    Operation("read a log", ("mq-log", "read", "-l", "clicks"), log),
    Operation(
        "abort", ("mq-tx", "abort", "{}"), open_transaction, partial=True, again=False, whole=True, does=".aborted"
    ),
    Operation(
        "work done as one",
        ("mq-recv", "--no-wait", "--tx", "jobs", "--", "mq-send", "-q", "other", "result"),
        worker_queues,
        passes=(("inflight", 1), ("ready", 0), ("delayed", 1), ("ready", 1)),
        partial=True,
        again=False,
        whole=True,
        removes=True,
        unsynced=True,
    ),
    Operation(
        "work whose result is kept",
        ("mq-recv", "--no-wait", "--save", "jobs", "--", "echo", "printed"),
        one,
        passes=(("inflight", 1), ("ready", 0), ("delayed", 1), ("ready", 1)),
        partial=True,
        again=False,
        removes=True,
        unsynced=True,
        does="results",
    ),
    goes_on("reject", ("mq-ack", "--reject", "{}"), before_graves(claimed())),
    goes_on("last deadline passed", ("mq-queue", "sweep", "jobs"), before_graves(lapsed(), "max-attempts=1")),
    goes_on("dead letter left behind", ("mq-queue", "sweep", "jobs"), left_behind),
    Operation("topic bound", ("mq-topic", "bind", "events", "fourth"), topic, does="bindings"),
    Operation("ack", ("mq-ack", "{}"), claimed(), main=True, removes=True),
    Operation("nack at once", ("mq-ack", "--nack", "--delay=0", "{}"), claimed()),
    Operation("nack with back-off", ("mq-ack", "--nack", "{}"), claimed()),
    Operation("last nack", ("mq-ack", "--nack", "{}"), claimed(settings=["max-attempts=1"])),
    Operation("reject", ("mq-ack", "--reject", "--reason=no good", "{}"), claimed()),
    Operation("extend", ("mq-ack", "--extend=2d", "{}"), claimed()),
    Operation("release", ("mq-ack", "--release", "{}"), claimed()),
    sweep("deadline passed", lapsed(), "inflight"),
    sweep("last deadline passed", lapsed("max-attempts=1"), "inflight"),
    Operation(
        "deadline passed, at a claim",
        ("mq-recv", "--no-wait", "jobs"),
        lapsed(),
        passes=(("ready", 1),),
        partial=True,
        again=False,
        leaves={("inflight", 1): NO_ROOM},
    ),
    sweep("due", due, "delayed"),
    Operation(
        "due, at a claim",
        ("mq-recv", "--no-wait", "jobs"),
        due,
        passes=(("ready", 0),),
        partial=True,
        again=False,
        leaves={("delayed", 0): NO_ROOM},
    ),
    sweep("expiry to dead letters", expired(), "ready"),
    sweep("expiry, dropped", expired("on-expiry=drop"), "ready", removes=True),
    Operation("expiry, at a claim", ("mq-recv", "--no-wait", "jobs"), expired(), partial=True, again=False),
    sweep("sweep of everything", much_to_sweep, "ready", "delayed", "inflight", does="AT_REMOVEDIR"),
    Operation("purge", ("mq-queue", "purge", "jobs", "--state=ready"), several_ready, partial=True, removes=True),
    Operation("retry of a dead letter", ("mq-dlq", "retry", "jobs"), dead),
    Operation("retry into another queue", ("mq-dlq", "retry", "--to=other", "jobs"), dead_beside_another_queue),
    moved("move", beside_other(several_ready)),
    moved("move out of a batch", beside_other(batch()), "-n2"),
    moved("move of a dead letter", beside_other(dead), "--state=dead"),
    moved("copy", beside_other(published), "-n2", command="copy"),
    Operation("purge of a dead letter", ("mq-dlq", "purge", "--all", "jobs"), dead, removes=True),
    Operation("bucket removed", ("mq-recv", "--no-wait", "jobs"), used_up_bucket, does="AT_REMOVEDIR"),
    Operation("queue created", ("mq-queue", "create", "other")),
    Operation("queue created with settings", ("mq-queue", "create", "other", "max-depth=5", "ttl=1h")),
    Operation(
        "send, and the oldest ends",
        ("mq-send", "other", "new"),
        full_of_old,
        partial=True,
        again=False,
        leaves={("ready", 0): ANY},  # it ends with the next send
    ),
    Operation("queue deleted", ("mq-queue", "delete", "other"), other_queue, again=False),
    Operation(
        "queue deleted by force",
        ("mq-queue", "delete", "--force", "other"),
        other_queue_with_message,
        partial=True,
        again=False,
        removes=True,
    ),
    Operation("configured", ("mq-queue", "config", "jobs", "max-attempts=7"), one),
    *(
        old_handles(name, stage, who, ("mq-queue", "delete", *force, "other"), removes=bool(force))
        for name, force, stage in (
            ("queue deleted", (), other_queue),
            ("queue deleted by force", ("--force",), other_queue_with_message),
        )
        for who in OPENED_BY
    ),
    gives_back("held queue swept", "a sender", later("+2d", "sweep")),
    gives_back("held queue given back", "a sender", later("+60s", "create", "other")),
    gives_back("held queue merged", "a sender", later("+2d", "sweep"), another=True),
    gives_back("held queue merged", "a receiver, too,", later("+2d", "sweep"), another=True),
]


# ---- shared queues -----------------------------------------------------------------


def inbox(*bodies, options=()):
    """Messages that nobody has taken in yet."""

    def stage(stage):
        for body in bodies or ("work",):
            stage.send(body, *options, user=stage.sender)

    return stage


def inbox_batch(stage):
    """Three in one file."""
    lines = "line 1\nline 2\nline 3\n"
    stage.do("mq-send", "-q", "--no-sync", "-l", "jobs", data=lines, user=stage.sender)


def inbox_of_all_kinds(stage):
    inbox_batch(stage)
    stage.send("for later", "-d", "1d", user=stage.sender)
    stage.send("urgent", "-p", "9", user=stage.sender)
    stage.send("to expire", "--ttl", "1ms", user=stage.sender)
    stage.send("to be due", "-d", "1ms", user=stage.sender)


def only_sends(name, *command, stage=lambda stage: None, **more):
    """A send by somebody who may only send. One user alone may receive."""
    more.setdefault("does", "/delayed/0000000000000>")  # it goes to the inbox
    return Operation(f"{name}, by who may only send", command, stage, mode="622", user=users.STRANGER, **more)


# What a sender has closed is a dead letter, before its claim where it cannot be split.
LEFT = {("inbox", 0): ANY, ("dead", 0): "EACCES", ("dead", 1): "EACCES"}


def takes_in(name, stage, *command, mode="622", **more):
    """Whatever takes messages in gives them their places first."""
    facts = {"passes": (("ready", 0),), "partial": True, "again": False, "leaves": LEFT} | more
    return Operation(name, command, stage, does="/delayed/0000000000000>", mode=mode, **facts)


SHARED = [
    only_sends("send", "mq-send", "jobs", "new", main=True),
    only_sends("further send", "mq-send", "jobs", "new", stage=inbox(), main=True),
    only_sends("send --no-sync", "mq-send", "--no-sync", "jobs", "new"),
    only_sends("send for later", "mq-send", "-d1d", "jobs", "new"),
    only_sends("send lines", "mq-send", "-l", "jobs", data="line 1\nline 2\nline 3\n", partial=True, again=False),
    only_sends(
        "send several batches together",
        *("mq-send", "-l", "--batch=2", "jobs"),
        data="line 1\nline 2\nline 3\nline 4\nline 5\nline 6\n",
        partial=True,
        again=False,
    ),
    only_sends(
        "send without O_TMPFILE",
        *("mq-send", "jobs", "new"),
        also="openat:error=EOPNOTSUPP:when={O_TMPFILE}",
        does="O_CREAT|O_EXCL",
    ),
    takes_in("claim from the inbox", inbox(), "mq-recv", "--no-wait", "jobs", main=True),
    takes_in("claim, several in the inbox", inbox("work 1", "work 2", "work 3"), "mq-recv", "--no-wait", "jobs"),
    takes_in("claim, one in the inbox for later", inbox(options=("-d1d",)), "mq-recv", "--no-wait", "jobs"),
    takes_in("claim, one in the inbox expired", inbox(options=("--ttl=1ms",)), "mq-recv", "--no-wait", "jobs"),
    takes_in("claim of one of a batch in the inbox", inbox_batch, "mq-recv", "--no-wait", "jobs"),
    takes_in(
        "claim from the inbox by one of several who receive",
        inbox(),
        *("mq-recv", "--no-wait", "jobs"),
        mode="662",
        user=users.MEMBER,
        main=True,
    ),
    takes_in("look, something in the inbox", inbox_batch, "mq-queue", "peek", "jobs"),
    takes_in("sweep, all kinds in the inbox", inbox_of_all_kinds, "mq-queue", "sweep", "jobs"),
    takes_in("purge, something in the inbox", inbox(), "mq-queue", "purge", "--state=all", "jobs", removes=True),
    drain(
        "claim and ack several in the inbox",
        inbox("work 1", "work 2", "work 3"),
        "-n3",
        passes=(("ready", 0),),
        mode="622",
        leaves=LEFT,
    ),
    Operation(
        "send to a new bucket of a shared queue",
        ("mq-send", "-p9", "jobs", "new"),
        does="mkdirat",
        mode="662",
        user=users.MEMBER,
    ),
    Operation(
        "shared queue created",
        ("mq-queue", "create", "--mode=622", f"--group={users.GROUP}", "other"),
        mode="622",
        main=True,
        does="fchown",
    ),
    Operation(
        "wait for a shared queue, following",
        ("mq-recv", "-w50ms", "other"),
        other_queue,
        exits=1,
        around=somebody_leads,
        does="mknodat",
        mode="662",
        user=users.MEMBER,
    ),
]
