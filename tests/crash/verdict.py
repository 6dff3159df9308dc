"""What must hold of a stage after harm was done to a process; Wrong, where it does not."""

import time

from crash.operations import OLD
from shared import programs, spool


class Wrong(Exception):
    """A promise that was not kept."""


def now():
    return time.time_ns() // 1000


# ---- what there is ---------------------------------------------------------------


def look(stage):
    """Every message by its body: where it is and how often it was tried. None may be there twice, or in part."""
    places = {}
    try:
        messages = spool.read(stage.path)
    except spool.Broken as broken:
        raise Wrong(str(broken)) from broken
    for message in messages:
        if message.body in places:
            raise Wrong(f"{message.body!r} is there twice")
        places[message.body] = (message.queue, message.state, message.attempts)
    return places


def live_claims(stage):
    """The files that are claimed now and for some time to come."""
    soon = now() + 60_000_000
    return {m.path: m.body for m in spool.read(stage.path) if m.state == "inflight" and m.time > soon}


def reported(walked, stage, output):
    """The bodies of the messages whose ids mq-send printed whole: none of them may be missing."""
    ids = set(output.split("\n")[:-1]) if walked.operation.command[0] == "mq-send" else set()
    bodies = {message.body for message in spool.read(stage.path) if message.id in ids}
    if len(bodies) != len(ids):
        raise Wrong(f"reported to be sent but not there: some of {ids}")
    return bodies


# ---- what must hold after harm ------------------------------------------------------


def judge_places(walked, stage, output, finished):
    """Each message is where it was, or where the operation brings it; what was reported is done."""
    operation, found, sure = walked.operation, look(stage), reported(walked, stage, output)
    for body in walked.before.keys() | walked.after.keys() | found.keys():
        before, after, place = walked.before.get(body), walked.after.get(body), found.get(body)
        moving = before != after
        passing = moving and place is not None and place[1:] in operation.passes
        if place not in (before, after) and not passing:
            raise Wrong(f"{body!r} was {before}, was to be {after}, and is {place}")
        if moving and place != after and (finished or body in sure):
            raise Wrong(f"{body!r} was reported to be {after}, and is {place}")


def judge_others(stage):
    """A second process goes on at once; and it gets all that is ready, once, and nothing that is claimed."""
    claims = live_claims(stage)
    ready = {m.body for m in spool.read(stage.path) if (m.queue, m.state, m.expires) == ("jobs", "ready", 0)}
    stage.do("mq-send", "jobs", "other")
    taken = stage.do("mq-recv", "-a", "-0", "--no-wait", "-n", "1000", "jobs").encode().split(b"\0")[:-1]
    if len(taken) != len(set(taken)):
        raise Wrong(f"delivered twice: {taken}")
    if set(claims.values()) & set(taken) or not all(path.exists() for path in claims):
        raise Wrong(f"{list(claims.values())} are claimed, and were delivered: {taken}")
    if not ready | {b"other"} <= set(taken):
        raise Wrong(f"ready but not delivered: {ready - set(taken)}; delivered: {taken}")


def judge_leftovers(stage):
    """check finds nothing wrong, and what is left behind a sweep removes once it is old."""
    checked = stage.run("mq-queue", "check")
    if checked.returncode != 0:
        raise Wrong(f"mq-queue check: {checked.stdout}{checked.stderr}")
    left = spool.leftovers(stage.path)
    if not left:
        return
    spool.touch_back([path for path in left if path.parent != stage.path], OLD)
    if any(path.parent == stage.path for path in left):
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
