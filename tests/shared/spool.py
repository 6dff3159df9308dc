"""A second reader of spools, for the tests: written from mq-spool(5), it shares no code with libmq.

It is for queues that stand still. It knows single messages and files of several (the
fields n, o, l and s), with headers of their own or shared ones; and the lanes of ordered
queues, their tokens (the fields g, h, i and e) and what was cut out of them.
"""

import os
import re
import stat
import time
import uuid
from pathlib import Path
from typing import NamedTuple

STATES = ("ready", "delayed", "inflight", "dead")
INBOX = "0000000000000"  # the bucket of delayed/ where those who may only send put their messages
NO_PLACE = 1 << 48  # below it a position is none, but random


class Message(NamedTuple):
    queue: str
    state: str  # where it lies; "inbox": in delayed/, but nobody has given it a place yet; "stray": in a lane without a token
    position: str
    id: str
    body: bytes
    attempts: int
    time: int  # µs: due, deadline or death; 0 in ready/
    expires: int  # µs; 0: never
    path: Path
    lane: str = ""  # the KEY of its group, in an ordered queue; a dead letter is in none


class Broken(Exception):
    """Something in a queue that is no whole message."""


OUTBOX = ".outbox"


def named(spool):
    return sorted(entry for entry in Path(spool).iterdir() if entry.name[0] != "." and entry.is_dir())


def queues(spool):
    return [entry for entry in named(spool) if not (entry / "bindings").exists() and not (entry / "begin").exists()]


def logs(spool):
    return [entry for entry in named(spool) if (entry / "begin").exists()]


def groups(spool):
    """Of all logs: each is a queue."""
    found = [entry for log in logs(spool) for entry in sorted(log.glob("groups/*"))]
    return [entry for entry in found if entry.name[0] != "."]


def topics(spool):
    return [entry for entry in named(spool) if (entry / "bindings").exists()]


def transactions(spool):
    """What is not finished of several moves as one."""
    outbox = Path(spool) / OUTBOX
    return sorted(outbox.iterdir()) if outbox.exists() else []


def end_transactions(spool):
    """Let the deadlines of those that are open pass."""
    for path in transactions(spool):
        deadline, _, tx = path.name.partition(".")
        if tx not in ("committed", "aborted"):
            path.rename(path.with_name(f"{1:0{len(deadline)}x}.{tx}"))


def pending(spool):
    """What queues being made or deleted have left beside them."""
    return sorted(entry for entry in Path(spool).iterdir() if entry.name[0] == ".")


def read(spool):
    """All messages of all queues, logs and groups."""
    in_queues = [message for queue in [*queues(spool), *groups(spool)] for message in read_queue(queue)]
    return in_queues + [message for log in logs(spool) for message in read_log(log)]


def read_log(log):
    """From the beginning to the end, one entry behind the other."""
    begin = max(int(path.name, 16) for path in (log / "begin").iterdir())
    expected = None
    for path in sorted(log.glob("log/*/*")):
        offset = int(path.name, 16)
        if offset < begin:
            continue
        if offset != (begin if expected is None else expected):
            raise Broken(f"{path}: comes behind {expected}, and the log begins at {begin}")
        content, count = path.read_bytes(), 1
        if content.startswith(b"Mq-Count:"):
            line, content = content.split(b"\n", 1)
            count = int(line.split()[1])
        yield from read_entry(log, path, content, count)
        expected = offset + count


def read_entry(log, path, content, count):
    fields = {"time": 0, "position": path.name, "n": count, "o": 0, "a": 0, "x": 0}
    shared = read_shared(path, content)
    fields["id"] = shared.first_id if shared else read_headers(path, content, 0)[0][b"Id"].decode()
    end = 0
    for step in range(count):
        message, end = read_message(log, "log", path, fields, content, shared, end, step)
        yield message
    if end != len(content):
        raise Broken(f"{path}: {len(content) - end} bytes behind the last message")


def read_queue(queue):
    paths = [(state, path) for state in STATES for path in sorted((queue / state).glob("*/*"))]
    tokens = [read_token(state, path) for state, path in paths if TOKEN.search(path.name)]
    rest = [(state, path) for state, path in paths if not TOKEN.search(path.name)]
    found = [message for state, path in rest for message in read_file(queue, state, path)]
    dead = {message.position for message in found if message.state == "dead"}
    for lane in sorted((queue / "lanes").glob("*")):
        found += read_lane(queue, lane, tokens, dead)
    return found


# ---- lanes -----------------------------------------------------------------------------

TOKEN = re.compile(r"\.g([A-Za-z0-9_-]{22})\.h([0-9a-f]{16})(?:\.e([0-9]))?(?:\.i([0-9]+)-([0-9]+))?(?=\.|$)")
DONE = 1  # of a token: more is dead
KEY = 16  # characters


class Token(NamedTuple):
    path: Path
    state: str
    generation: str  # KEY and G
    head: int
    of: int  # as many are in the head's file
    places: range  # of the messages that it stands for, as words
    settled: int
    time: int
    attempts: int


def read_token(state, path, name=None):
    name = name or path.name
    generation, head, settled, done, of = TOKEN.search(name).groups()
    fields = parse_name(state, name)
    first = int(head, 16) + int(done or 0)
    places = range(first, first + fields["n"])
    return Token(path, state, generation, int(head, 16), int(of or 1), places, int(settled or 0), fields["time"], fields["a"])


def tokens_in_transactions(queue):
    """A claim that a transaction has taken is named by its queue and its name there."""
    for path in queue.parent.glob(f"{OUTBOX}/*/*:*:*"):
        _, place, name = path.name.split(":", 2)
        if place == queue.name and TOKEN.search(name):
            yield read_token("delayed", path, name)


def the_token(queue, lane, tokens):
    """None: the lane has none, as when it is on its way to be removed."""
    marks = sorted(path.name for path in lane.iterdir() if path.name[:4] in ("gen.", "cut."))
    if len(marks) > 1 or ((lane / "q").exists() and not marks):
        raise Broken(f"{lane}: its generation is {marks}")
    if not marks:
        return None
    generation = lane.name + marks[0][4:]
    own = [token for token in [*tokens, *tokens_in_transactions(queue)] if token.generation == generation]
    if len(own) > 1:
        raise Broken(f"{lane}: has {len(own)} tokens")
    return own[0] if own else None


def cut_out(lane):
    """The places of the messages that were taken out: a draft of such is neither there nor void."""
    drafts = {path.name.partition("-")[2] for path in lane.glob("cuts/*-*")}
    cuts = [path for path in lane.glob("cuts/*.*") if path.is_symlink()]
    return {int(path.name.split(".")[0], 16) for path in cuts if path.readlink().name.rstrip("+") not in drafts}


def is_head_of(token, path):
    """A dead letter that was the first of its file may be back beside it, at the same place."""
    fields = parse_name("ready", path.name)
    return token and (token.head, token.of) == (int(fields["position"][1:], 16), fields["n"])


def lane_files(lane):
    """Those of a lane, in order."""
    files = [path for path in lane.glob("q/**/*") if path.is_file()]
    return sorted(files, key=lambda path: path.name)


def read_lane(queue, lane, tokens, dead):
    """What waits in a lane, in order; the messages that its token stands for are as this says."""
    token, out, now = the_token(queue, lane, tokens), cut_out(lane), time.time_ns() // 1000
    # What the token stands for comes first, and then what was put back before it.
    for path in sorted(lane_files(lane), key=lambda path: not is_head_of(token, path)):
        fields = parse_name("ready", path.name)
        first = int(fields["position"][1:], 16)
        is_head = is_head_of(token, path)
        for step, message in enumerate(read_file(queue, "ready", path)):
            place = first + step
            if is_head and place < token.places.start:
                continue  # done
            due = fields.get("d", 0)
            state = "stray" if not token else "delayed" if due > now else "ready"
            message = message._replace(position=f"{message.position[0]}{place:016x}", state=state, time=due, lane=lane.name)
            if is_head and place in token.places:
                message = as_token_says(queue, message, token, dead)
            if message and place not in out:
                yield message


def as_token_says(queue, message, token, dead):
    """None: the message is done, a dead letter already, or in a transaction. If a token waits in delayed/ for
    its dead letter, that is buried, or is retried as a link in tmp/ tells."""
    if token.settled and token.state == "delayed":
        mark = int(token.path.name.split(".")[1][1:], 16) & (1 << 48) - 1
        is_retried = (queue / "tmp" / f"split-{message.position}.{message.id}.{mark:012x}").exists()
        return message._replace(attempts=0, state="ready") if is_retried else None
    if token.settled == DONE or token.path.parent.parent.name == OUTBOX:
        return None
    message = message._replace(attempts=token.attempts, time=token.time, path=token.path)
    if token.settled:
        return None if message.position in dead else message._replace(state="dead", lane="")
    return message._replace(state=token.state)


# ---- files ---------------------------------------------------------------------------


def read_file(queue, state, path):
    fields = parse_name(state, path.name)
    if int(fields["position"][1:], 16) < NO_PLACE:
        if (state, path.parent.name) != ("delayed", INBOX):
            raise Broken(f"{path}: is not in the inbox, and has no place")
        state = "inbox"
    content = path.read_bytes()
    shared = read_shared(path, content)
    content = content[: fields["o"] + fields["l"]] if fields["l"] else content
    if "s" in fields and (queue / "tmp" / fields["link"]).exists():
        yield read_message(queue, state, path, fields, content, shared, fields["s"], -1)[0]
    end = fields["o"]
    for step in range(fields["n"]):
        message, end = read_message(queue, state, path, fields, content, shared, end, step)
        yield message
    if end != len(content):
        raise Broken(f"{path}: {len(content) - end} bytes behind the last message")


def parse_name(state, name):
    """The fields of a file's name: numbers, but for the strings position, id and link."""
    words = name.split(".")
    moment = 0 if state == "ready" else int(words.pop(0), 16)
    fields = {"time": moment, "position": words[0], "id": words[1], "n": 1, "o": 0, "l": 0, "x": 0}
    for word in words[2:]:
        letter, value = word[0], word[1:]
        if letter in "anol":
            fields[letter] = int(value)
        elif letter == "s":
            offset, mark = value.split("-")
            fields |= {"s": int(offset), "link": f"split-{fields['position']}.{fields['id']}.{mark}"}
        elif letter in "xcd":
            fields[letter] = int(value, 16)
    if len(fields["position"]) != 17 or "a" not in fields or ("c" in fields) != (state == "inflight"):
        raise Broken(f"{state}/{name}: not a message's name")
    return fields


class Shared(NamedTuple):
    """What a file says whose messages share their headers."""

    first_id: str
    begin: int  # of the bodies
    separator: bytes


def read_headers(path, content, start):
    """The headers that begin there, and where they end."""
    blank = content.find(b"\n\n", start)
    if blank < 0:
        raise Broken(f"{path}: no headers at {start}")
    return dict(line.split(b": ", 1) for line in content[start:blank].split(b"\n")), blank + 2


def read_shared(path, content):
    begins = content.partition(b"\n")[2] if content.startswith(b"Mq-Count:") else content  # an entry of a log
    if not begins.startswith(b"Mq-Separator:"):
        return None
    headers, begin = read_headers(path, content, 0)
    if begin + int(headers[b"Content-Length"]) != len(content):
        raise Broken(f"{path}: is not as long as it says")
    separator = {b"newline": b"\n", b"null": b"\0"}[headers[b"Mq-Separator"]]
    return Shared(headers[b"Id"].decode(), begin, separator)


def step_id(first, steps):
    """The id so many steps after the first."""
    return str(uuid.UUID(int=uuid.UUID(first).int + steps))


def read_message(queue, state, path, fields, content, shared, start, step):
    """The message that begins there, so many steps from the one that the name tells, and where it ends."""
    if shared:
        identity = shared.first_id if start == 0 else step_id(fields["id"], step)
        begin = max(start, shared.begin)
        size = content.find(shared.separator, begin) - begin
        end = begin + size + 1
        if size < 0:
            raise Broken(f"{path}: {begin} is not the beginning of a body")
    else:
        headers, begin = read_headers(path, content, start)
        identity = headers[b"Id"].decode()
        size = int(headers.get(b"Content-Length", len(content) - begin))
        end = begin + size
        if end > len(content):
            raise Broken(f"{path}: {end - len(content)} bytes are missing")
    if start == fields["o"] and identity != fields["id"]:
        raise Broken(f"{path}: holds the message {identity}")
    body = content[begin : begin + size]
    attempts, moment, expires = fields["a"], fields["time"], fields["x"]
    name = f"{queue.parts[-3]}/{queue.name}" if queue.parent.name == "groups" else queue.name
    return Message(name, state, fields["position"], identity, body, attempts, moment, expires, path), end


def modes(queue):
    """The mode and the group of everything that has its name, by what it is; and which directories there are. The mark
    of a durable directory is left out."""
    found = {("directories", *sorted(path.name for path in queue.iterdir() if path.is_dir()))}
    for path in [queue, *queue.rglob("*")]:
        kind = kind_of(path.relative_to(queue).parts)
        if kind:
            status = path.lstat()
            found.add((kind, oct(stat.S_IMODE(status.st_mode) & ~stat.S_ISUID), status.st_gid))
    return found


def kind_of(parts):
    """What something in a queue is; None where it is being made or goes soon."""
    if len(parts) < 2 or parts == ("delayed", INBOX):
        return "/".join(parts) or "queue"
    if parts[0] in ("tmp", "waiters") or parts[-1][0] == ".":
        return None
    if parts[0] == "lanes":
        return "lane" if len(parts) == 2 else "in a lane: " + re.split("[.-]", parts[2])[0]
    return {2: "bucket" if parts[0] in STATES else f"in {parts[0]}/", 3: "message"}[len(parts)]


def leftovers(spool):
    """What processes that died have left to be swept, below all queues and beside them."""
    found = [entry for entry in pending(spool) if entry.name != OUTBOX] + transactions(spool)
    for topic in topics(spool):
        found += (path for path in (topic / "feed").iterdir() if path.name not in ("tmp", "host", "sent"))
        found += (topic / "feed" / "tmp").iterdir()
    for log in logs(spool):
        found += (path for part in ("tmp", "removed") for path in (log / part).iterdir())
    for queue in [*queues(spool), *groups(spool)]:
        found += (queue / "tmp").iterdir()
        found += (path for path in (queue / "waiters").iterdir() if path.name != "bell")
    return found


def end_slots(spool):
    """Let the slots in which something was sent once be over, for longer than any window."""
    for path in (*Path(spool).glob("*/sent/slot/*"), *Path(spool).glob("*/feed/sent/slot/*")):
        path.rename(path.with_name(f"{path.name[:13]}-{0:013x}-{0:013x}{path.name[41:]}"))


def undeliver(queue, id):
    """Let a ready message that was sent once be a draft again, as if its sender had died before the last rename."""
    (mark,) = (slot / id for slot in queue.glob("sent/*") if (slot / id).is_symlink())
    (message,) = queue.glob(f"ready/*/*.{id}.*")
    due, position = mark.readlink().name.split(".")
    message.rename(queue / "tmp" / f"once-{mark.parent.name[:13]}.{due}.{position}.{id}.a0")


def touch_back(paths, seconds):
    """Let files be so old."""
    for path in paths:
        status = os.lstat(path)
        os.utime(path, (status.st_atime - seconds, status.st_mtime - seconds), follow_symlinks=False)
