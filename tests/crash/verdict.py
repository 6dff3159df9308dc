"""What must hold of a stage after harm was done to a process; Wrong, where it does not."""

import time

from crash.handles import LATE
from crash.operations import OLD
from shared import programs, spool


class Wrong(Exception):
    """A promise that was not kept."""


def now():
    return time.time_ns() // 1000


# ---- what there is ---------------------------------------------------------------


GROUP = "clicks/billing"
PUBLISHED = b"to all"  # how bodies begin that are sent to several queues


def key(message):
    """Its body, but in another queue than jobs also the queue if it was published."""
    is_copy = message.body.startswith(PUBLISHED) and message.queue != "jobs"
    return message.body + b"@" + message.queue.encode() if is_copy else message.body


def look(stage):
    """Every message by its body: where it is and how often it was tried. None may be there twice, or in part."""
    places = {}
    try:
        messages = spool.read(stage.path)
    except spool.Broken as broken:
        raise Wrong(str(broken)) from broken
    for message in messages:
        if message.body.startswith(LATE):
            continue  # an old handle's, which judges them itself
        if key(message) in places:
            raise Wrong(f"{key(message)!r} is there twice")
        places[key(message)] = (message.queue, message.state, message.attempts)
    return places


def live_claims(stage):
    """The files that are claimed now and for some time to come."""
    soon = now() + 60_000_000
    return {m.path: m.body for m in spool.read(stage.path) if m.state == "inflight" and m.time > soon}


def to_come(stage):
    """The bodies that the next receiver must get, in order: what is ready, then what it has to take in."""
    ready = [m for m in spool.read(stage.path) if (m.queue, m.state, m.expires) == ("jobs", "ready", 0)]
    waiting = [m for m in spool.read(stage.path) if (m.queue, m.state, m.expires) == ("jobs", "inbox", 0)]
    due = ready + [m for m in waiting if m.time <= now()]
    return [m.body for m in sorted(due, key=lambda message: message.position[0])]


def reported(walked, stage, output):
    """The bodies of the messages whose ids mq-send printed whole: none of them may be missing."""
    ids = set(output.split("\n")[:-1]) if walked.operation.command[0] == "mq-send" else set()
    bodies = {key(message) for message in spool.read(stage.path) if message.id in ids}
    if len(bodies) < len(ids):
        raise Wrong(f"reported to be sent but not there: some of {ids}")
    return bodies


def modes(stage):
    return set().union(*map(spool.modes, spool.queues(stage.path)))


# ---- what must hold after harm ------------------------------------------------------


class Regardless:
    """What else may be found when a call failed, what it was about was left, and the operation went on with others."""

    def __init__(self, walked, error, output):
        operation = walked.operation
        left = {place for place, errors in operation.leaves.items() if error in errors.split()}
        self.places = left | {*operation.passes, ("inflight", 1)} if left else set()
        self.delivered = {line.encode() for line in output.splitlines()} if left and operation.removes else set()
        lapsed = ("inflight", 1) in left  # and so it is no claim any more
        self.may_hide = error is not None and error in operation.hides.split()
        self.most = max(claimed(walked.before), claimed(walked.after)) + lapsed

    def allows(self, body, place):
        return place[1:] in self.places if place else self.may_hide or body in self.delivered


def claimed(places):
    return sum(state == "inflight" for _, state, _ in places.values())


def judge_whole(walked, stage):
    """What was decided is done when somebody has waited for 1.5 seconds: all of it, or none. What was not is undone, as its
    deadline comes."""
    spool.end_transactions(stage.path)
    if spool.transactions(stage.path):
        stage.run("mq-recv", "-q", "-w1500ms", "idle")
    left = [path.name for path in spool.transactions(stage.path)]
    if left:
        raise Wrong(f"not finished, though somebody waited: {left}")
    found = look(stage)
    bodies = walked.before.keys() | walked.after.keys()
    moving = [body for body in bodies if walked.before.get(body) != walked.after.get(body)]
    if len({found.get(body) == walked.after.get(body) for body in moving}) > 1:
        raise Wrong(f"in part: {found}")


def judge_places(walked, stage, output, finished, error=None):
    """Each message is where it was, or where the operation brings it; what was reported is done."""
    operation = walked.operation
    if operation.whole:
        judge_whole(walked, stage)
    found, sure = look(stage), reported(walked, stage, output)
    regardless = Regardless(walked, error, output)
    if ("inflight", 1) not in operation.passes and claimed(found) > regardless.most:
        raise Wrong(f"more is claimed than was to be: {found}")
    for body in walked.before.keys() | walked.after.keys() | found.keys():
        before, after, place = walked.before.get(body), walked.after.get(body), found.get(body)
        moving = before != after
        is_other = before is not None and regardless.allows(body, place)
        passing = moving and place is not None and place[1:] in operation.passes
        if place not in (before, after) and not passing and not is_other:
            raise Wrong(f"{body!r} was {before}, was to be {after}, and is {place}")
        if moving and place != after and (finished and not is_other or body in sure):
            raise Wrong(f"{body!r} was reported to be {after}, and is {place}")


def send_again(walked, stage):
    """Whoever does not know whether he sent something once sends again; it is there once, as look() sees."""
    if walked.operation.command[0] != "mq-send" or "--once" not in walked.operation.command:
        return
    stage.do(*walked.command, data=walked.operation.data)
    if walked.after.keys() - look(stage).keys():
        raise Wrong(f"sent again, but not there: {walked.after.keys() - look(stage).keys()}")


def judge_others(walked, stage):
    """A second process goes on at once; and it gets all that is ready, once, and nothing that is claimed; in order, as
    far as it was not about to be moved, since who dies may not have announced that he did."""
    send_again(walked, stage)
    claims, due, found = live_claims(stage), to_come(stage), look(stage)
    unmoved = [body for body in due if found[body] == walked.before.get(body)]
    stage.do("mq-send", "jobs", "other", user=stage.sender)
    taken = stage.do("mq-recv", "-a", "-0", "--no-wait", "-n", "1000", "jobs").encode().split(b"\0")[:-1]
    if len(taken) != len(set(taken)):
        raise Wrong(f"delivered twice: {taken}")
    if set(claims.values()) & set(taken) or not all(path.exists() for path in claims):
        raise Wrong(f"{list(claims.values())} are claimed, and were delivered: {taken}")
    if not {*due, b"other"} <= set(taken):
        raise Wrong(f"to come but not delivered: {set(due) - set(taken)}; delivered: {taken}")
    if [body for body in taken if body in unmoved] != unmoved:
        raise Wrong(f"delivered in another order than {unmoved}: {taken}")


def judge_group(walked, stage, finished):
    """The next consumer of the group gets what nobody has claimed: in all what the operation, or what was before it, says."""
    wanted = walked.operation.delivers
    if not wanted:
        return
    claims = [message.body for message in spool.read(stage.path) if (message.queue, message.state) == (GROUP, "inflight")]
    given = stage.run("mq-recv", "-a", "-l", "--no-wait", "-n", "1000", GROUP)
    if given.returncode not in (0, 1):
        raise Wrong(f"the group does not go on: {given.stderr}")
    got = sorted(given.stdout.encode().splitlines() + claims)
    allowed = [sorted(body.encode() for body in bodies) for bodies in (wanted[:1] if finished else wanted)]
    if got not in allowed:
        raise Wrong(f"the group gives {got}, and not {allowed}")


def judge_modes(walked, stage):
    """In a shared queue nothing is ever met with another mode than it is to have."""
    strange = modes(stage) - walked.modes if stage.mode else set()
    if strange:
        raise Wrong(f"not as in other shared queues: {strange}")


def judge_leftovers(stage):
    """check finds nothing wrong, and what is left behind a sweep removes once it is old."""
    checked = stage.run("mq-queue", "check")
    if checked.returncode != 0:
        raise Wrong(f"mq-queue check: {checked.stdout}{checked.stderr}")
    left = spool.leftovers(stage.path)
    if not left:
        return
    stage.run("mq-dlq", "purge", "--all", "jobs")  # a link to a batch stays as long as there is a message of it
    spool.touch_back([path for path in left if path.parent != stage.path], OLD)
    spool.end_slots(stage.path)
    if any(path.parent in (stage.path, stage.path / spool.OUTBOX) for path in left):
        sweep_tomorrow(stage)
    else:
        stage.do("mq-queue", "sweep")
    if spool.leftovers(stage.path):
        raise Wrong(f"not swept: {spool.leftovers(stage.path)}")


def sweep_tomorrow(stage):
    """What lies in the spool itself is as old as its last change, which cannot be set: set the clock."""
    # faketime is a library that is loaded before others, so it needs a program that loads any.
    path = f"PATH={programs.BUILD / 'dynamic'}:{stage.environment['PATH']}"
    stage.do("env", path, "NO_FAKE_STAT=1", "faketime", "-f", f"+{OLD}s", "mq-queue", "sweep")
