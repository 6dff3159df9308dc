"""Processes that had a queue open before it was renamed or removed, and that go on with it afterwards."""

import glob
import os
import select
import subprocess
import time
from contextlib import contextmanager, suppress

from shared import programs, spool

QUEUE = "other"
HELD = ".held-other-0123456789abcdef"  # as a deleter leaves it that was killed behind its first rename
LATE = b"late"  # what the bodies begin with that are sent after the harm
TIMEOUT = 10  # seconds that a process may take to notice; it looks once a second
LIBRARY = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")


class Lost(Exception):
    """What an old handle reported is not so."""


def later(clock, *words):
    """A command whose clock is ahead. {} is the program, since only one that loads libraries can be told so."""
    return ("env", f"LD_PRELOAD={''.join(LIBRARY[:1])}", f"FAKETIME={clock}", "NO_FAKE_STAT=1", "{}", *words)


def dynamic():
    return str(programs.BUILD / "dynamic" / "mq-queue")


class OldHandles:
    """A sender that has the queue open, and where `receives` a receiver that waits for its messages."""

    def __init__(self, path, receives):
        self.path, self.environment = path, programs.environment(path)
        self.sent, self.received, self.all = [], b"", []
        self.sender = self.spawn("mq-send", "--no-sync", "-l", "--batch=1", "-p9", QUEUE)
        self.send("early")
        self.run("mq-recv", "-a", "-q", "--no-wait", QUEUE)
        self.sent.clear()
        self.receiver = self.spawn("mq-recv", "-a", "-l", "-f", "--create", QUEUE) if receives else None
        if receives:
            self.wait("the receiver does not wait", self.is_waiting)

    def spawn(self, *command):
        pipe = subprocess.PIPE
        spawned = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=self.environment, bufsize=0)
        self.all.append(spawned)
        return spawned

    def run(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=TIMEOUT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.decode()}")

    def is_waiting(self):
        """It has a file of waiters/ open, and sleeps."""
        files = f"/proc/{self.receiver.pid}/fd"
        opened = []
        for name in os.listdir(files):
            with suppress(FileNotFoundError):
                opened.append(os.readlink(f"{files}/{name}"))
        with open(f"/proc/{self.receiver.pid}/stat", encoding="ascii", errors="replace") as stat:
            asleep = stat.read().rsplit(")", 1)[1].split()[0] == "S"
        return asleep and any("/waiters" in name for name in opened)

    def wait(self, what, condition):
        end = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > end:
                raise Lost(what)
            time.sleep(0.005)

    def send(self, body):
        self.sender.stdin.write(f"{body}\n".encode())
        ready, _, _ = select.select([self.sender.stdout], [], [], TIMEOUT)
        line = self.sender.stdout.readline().decode().strip() if ready else ""
        if not line:
            why = self.sender.stderr.read().decode() if ready else "it hangs"
            raise Lost(f"the sender that had the queue open does not send {body}: {why}")
        self.sent.append(line)

    def has_received(self, body):
        while select.select([self.receiver.stdout], [], [], 0)[0]:
            more = os.read(self.receiver.stdout.fileno(), 4096)
            if not more:
                raise Lost(f"the receiver ended: {self.receiver.stderr.read().decode()}")
            self.received += more
        return body in self.received.split(b"\n")

    def go_on(self):
        """The sender sends: what it reports is in the queue that has the name. The receiver gets that, and what others
        send to that queue."""
        self.send("late 1")
        self.send("late 2")
        if not self.receiver:
            self.judge("at once")
            return
        self.run("mq-send", "-q", "--no-sync", QUEUE, "late 3")
        for body in (b"late 1", b"late 2", b"late 3"):
            self.wait(f"{body} is not received", lambda body=body: self.has_received(body))
            if self.received.split(b"\n").count(body) != 1:
                raise Lost(f"{body} is received twice")

    def judge(self, when):
        """Each message that was reported is there, once, where nobody receives it."""
        if self.receiver:
            return
        there = [message.id for message in spool.read(self.path) if message.queue == QUEUE]
        for identity in self.sent:
            if there.count(identity) != 1:
                raise Lost(f"{when}: a message that was reported is there {there.count(identity)} times")

    def end(self):
        for process in self.all:
            process.kill()
            process.communicate()


def make_another(handles):
    """Another queue gets the name. It is made under another name, since its maker would give back the held one."""
    handles.run("mq-queue", "create", "fresh")
    os.rename(handles.path / "fresh", handles.path / QUEUE)


def had_open(receives=False, another=False):
    """Stands beside a command; where the stage holds the queue it was opened before that."""

    @contextmanager
    def beside(path):
        held = (path / HELD).exists()
        if held:
            os.rename(path / HELD, path / QUEUE)
        handles = OldHandles(path, receives)
        try:
            if held:
                os.rename(path / QUEUE, path / HELD)
            if another:
                make_another(handles)
            yield handles
        finally:
            handles.end()

    return beside
