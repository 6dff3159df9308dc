"""A second reader of spools, for the tests: written from mq-spool(5), it shares no code with libmq.

It is for queues that stand still. It knows single messages and files of several (the
fields n, o, l and s), with headers of their own or shared ones.
"""

import os
import stat
import uuid
from pathlib import Path
from typing import NamedTuple

STATES = ("ready", "delayed", "inflight", "dead")
INBOX = "0000000000000"  # the bucket of delayed/ where those who may only send put their messages
NO_PLACE = 1 << 48  # below it a position is none, but random


class Message(NamedTuple):
    queue: str
    state: str  # where it lies; "inbox": in delayed/, but nobody has given it a place yet
    position: str
    id: str
    body: bytes
    attempts: int
    time: int  # µs: due, deadline or death; 0 in ready/
    expires: int  # µs; 0: never
    path: Path


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
    return [
        message
        for state in STATES
        for path in sorted((queue / state).glob("*/*"))
        for message in read_file(queue, state, path)
    ]


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
    time = 0 if state == "ready" else int(words.pop(0), 16)
    fields = {"time": time, "position": words[0], "id": words[1], "n": 1, "o": 0, "l": 0, "x": 0}
    for word in words[2:]:
        letter, value = word[0], word[1:]
        if letter in "anol":
            fields[letter] = int(value)
        elif letter == "s":
            offset, mark = value.split("-")
            fields |= {"s": int(offset), "link": f"split-{fields['position']}.{fields['id']}.{mark}"}
        elif letter in "xc":
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
    attempts, time, expires = fields["a"], fields["time"], fields["x"]
    name = f"{queue.parts[-3]}/{queue.name}" if queue.parent.name == "groups" else queue.name
    return Message(name, state, fields["position"], identity, body, attempts, time, expires, path), end


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
