"""What must hold of an ordered queue after harm was done to a process: each message of each group comes, once, in order."""

from crash.handles import later
from crash.verdict import Wrong, look, now
from shared import programs, spool

SOON, MUCH_LATER = "+3s", "+2d"  # what a process has settled is another one's by then; all leases are over and all is due
FIGURES = ("ready", "delayed", "inflight", "dead")


def sweep_at(stage, clock):
    """Sweep with the clock ahead: renamed tokens would not tell any more when they were settled."""
    program = str(programs.BUILD / "dynamic" / "mq-queue")
    stage.do(*(program if word == "{}" else word for word in later(clock, "sweep")))


def take(stage, queue="jobs"):
    """All that the next receiver gets, acked."""
    taken = stage.run("mq-recv", "-a", "-0", "--no-wait", "-n", "1000", queue)
    if taken.returncode not in (0, 1):
        raise Wrong(f"cannot be received from: {taken.stderr}")
    return taken.stdout.encode().split(b"\0")[:-1]


def lanes(stage):
    """What waits or is in flight, by its lane and in order; and what is dead, or is going to be as it expires."""
    found, dead = {}, []
    for message in spool.read(stage.path):
        if message.queue == "jobs" and (message.state == "dead" or message.expires):
            dead.append(message.body)
        elif message.queue == "jobs":
            found.setdefault(message.lane, []).append(message)
    return found, dead


def free(messages):
    """Those of a lane that a receiver gets at once: if its first message is ready, and what may be before it is done."""
    at_once = []
    for message in messages:
        if message.state != "ready":
            break
        at_once.append(message.body)
    return at_once


def tokens_of(stage, lane):
    paths = [(state, path) for state in ("delayed", "inflight") for path in (stage.path / "jobs" / state).glob(f"*/*.g{lane}*")]
    return [token for token in (spool.read_token(state, path) for state, path in paths) if token.settled]


def halts_lanes(stage):
    return "on-dead" in (stage.path / "jobs" / "config").read_text()


class Lane:
    """What of a group is to come, in order: now; when a process that has settled its first message has had the time to go on;
    and when all leases are over."""

    def __init__(self, stage, key, messages, dead):
        self.key, self.bodies = key, [message.body for message in messages]
        self.claimed = {message.body for message in messages if message.state == "inflight"}
        settled = tokens_of(stage, key)
        halts = dead and halts_lanes(stage)
        self.halts = bool(halts) and any(token.settled > spool.DONE for token in settled)
        rests = any(token.time > now() + 3_000_000 and token.state == "inflight" for token in settled)
        self.at_once = free(messages) if not settled else []
        self.soon = [] if self.halts or rests else self.bodies if messages[0].state == "stray" else free(messages)


def judge_taken(taken, expected, when):
    """In each lane exactly this, in this order."""
    for lane, bodies in expected.items():
        got = [body for body in taken if body in bodies]
        if got != bodies:
            raise Wrong(f"{when}: of {lane} {bodies} were to come, and {got} came, of {taken}")
    strange = set(taken) - {body for bodies in expected.values() for body in bodies}
    if strange or len(taken) != len(set(taken)):
        raise Wrong(f"{when}: came although they were not to, or twice: {strange or taken}")


def judge_figures(stage, when):
    """The page, the directories and the second reader agree."""
    words = ("mq-stat", f"--format={' '.join(f'{{{name}}}' for name in FIGURES)}", "jobs")
    said, counted = stage.do(*words).split(), stage.do(*words, "--exact").split()
    states = [message.state for message in spool.read(stage.path) if message.queue == "jobs"]
    read = [str(states.count(name)) for name in FIGURES]
    if not said == counted == read:
        raise Wrong(f"{when}: {FIGURES} are {said} by the page, {counted} as counted, {read} as read")


def judge_check(stage, when):
    checked = stage.run("mq-queue", "check")
    if checked.returncode != 0:
        raise Wrong(f"{when}: mq-queue check: {checked.stdout}{checked.stderr}")


def judge_order(stage):
    """Others go on at once with what is free, soon with what the process had settled, and much later with the rest. Returns
    what they were given."""
    found, dead = lanes(stage)
    if not any(message.state == "stray" for messages in found.values() for message in messages):
        judge_check(stage, "at once")
    stage.do("mq-send", "-q", "-g", "bystander", "jobs", "other")
    found, dead = lanes(stage)
    every = [Lane(stage, key, messages, dead) for key, messages in found.items()]
    taken = take(stage)
    early = {lane.key: lane.soon[: sum(body in taken for body in lane.soon)] for lane in every}  # by who came by
    judge_taken(taken, {lane.key: lane.at_once or early[lane.key] for lane in every}, "at once")
    sweep_at(stage, SOON)
    judge_figures(stage, "soon")
    more = take(stage)
    judge_taken(more, {lane.key: [body for body in lane.soon if body not in taken] for lane in every}, "soon")
    taken += more
    sweep_at(stage, MUCH_LATER)
    judge_figures(stage, "later")
    more, died = take(stage), [body for lane in every for body in lane.claimed if body in dead_bodies(stage)]
    for lane in every:
        lane.halts |= bool(lane.claimed & set(died)) and halts_lanes(stage)
    rest = {lane.key: [body for body in lane.bodies if body not in taken + died] for lane in every if not lane.halts}
    judge_taken(more, rest, "later")
    halted = [body for lane in every if lane.halts for body in lane.bodies if body not in died]
    taken += more + judge_dead(stage, dead + died, halted)
    judge_nothing_left(stage)
    return taken


def dead_bodies(stage):
    return [message.body for message in spool.read(stage.path) if (message.queue, message.state) == ("jobs", "dead")]


def judge_rest_of_order(stage, came):
    """A process that was stopped goes on, and others have all that it had: nothing comes again."""
    found, _ = lanes(stage)
    again = [message.body for messages in found.values() for message in messages if message.body in came]
    if again:
        raise Wrong(f"there again, though acked: {again}")
    sweep_at(stage, SOON)
    again = set(came) & set(judge_order(stage)) - {b"other"}
    if again:
        raise Wrong(f"came again, though acked: {again}")


def judge_dead(stage, dead, halted):
    """Each once; when they are retried they come in order, and what waits for them behind them."""
    there = dead_bodies(stage)
    if not set(there) <= set(dead) or len(there) != len(set(there)):
        raise Wrong(f"dead were to be {dead}, and are {there}")
    if not there:
        return []
    stage.do("mq-dlq", "retry", "-q", "jobs")
    came = take(stage)
    if sorted(came) != sorted(there + halted) or of_group(came) != sorted(of_group(came)):
        raise Wrong(f"retried: {there}, before {halted}; came: {came}")
    return came


def of_group(bodies):
    return [body for body in bodies if body[:1] == b"a"]


def judge_nothing_left(stage):
    """No message, no lane, no token, no draft."""
    sweep_at(stage, MUCH_LATER)
    judge_check(stage, "in the end")
    left = [path for part in ("ready", "delayed", "inflight") for path in (stage.path / "jobs" / part).glob("*/*")]
    left += (stage.path / "jobs" / "lanes").glob("*")
    if left or any(queue == "jobs" for queue, _, _ in look(stage).values()):
        raise Wrong(f"left: {left} {look(stage)}")
