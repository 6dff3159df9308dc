"""Users of a queue that do things at random, and write down what each program said.

An agent is a process with a role: it runs programs until it is told to stop, and does what it likes to them: with
`violence` some are killed, some stopped for a while. The agent itself lives, so its history is whole: a file of JSON
lines, one for each program that was run, written when the program is gone:

    op        send, append (to a log), recv (a claim), consume (deliveries acked at once), ack, nack, reject, release, extend,
              check, or upkeep; movers.py has more
    begin end microseconds since the epoch, before the program was started and after it was reaped
    exit      its status; below 0 the signal that killed it
    stopped   whether it was stopped in between
    out, err  the lines it printed, the last one only if it is whole; what it complained of
    bodies    of a send or append: the bodies, in the order of the ids
    receipt   of what settles a claim
    timeout   of recv and extend: the lease, in microseconds
    retried   the ids of dead letters that it was to give another try
"""

import hashlib
import json
import multiprocessing
import random
import signal
import subprocess
import time

from shared import programs, users
from shared.movers import Mover

QUEUE = "storm"
LOG = "kept"
ORDERED = "orders"
MAX_ATTEMPTS = 6
LONGEST = 30  # seconds that a program may take before the agent calls it hung


def now():
    return time.time_ns() // 1000


def make_body(key, size):
    """A body that says what it is: a key, filling, and a checksum of both."""
    text = f"{key} {'x' * size}"
    return f"{text} {hashlib.sha256(text.encode()).hexdigest()}"


def is_whole(body):
    text, _, checksum = body.rpartition(" ")
    return hashlib.sha256(text.encode()).hexdigest() == checksum


class Agent(Mover):
    def __init__(self, name, role, spool, history, seed, violence):
        self.name, self.role, self.violence = name, role, violence
        self.facts = {"env": programs.environment(spool)}  # what subprocess is to be told
        self.history = open(history / f"{name}.jsonl", "a", encoding="utf-8")
        self.random = random.Random(seed)
        self.sent = self.number = 0
        self.file = spool.parent / f"{name}.state"  # of its own; on the same file system

    # ---- running programs ----

    def call(self, op, *words, data="", life=LONGEST, takes=0.0015, **facts):
        """Run a program that takes so many seconds, perhaps to its bitter end, and write down what it said. 0: leave it
        in peace."""
        begin = now()
        with subprocess.Popen(
            words,
            **self.facts,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            stopped = self.torment(process, life, takes)
            out, err = process.communicate(data)
        record = {"op": op, "begin": begin, "end": now(), "exit": process.returncode, "stopped": stopped}
        record |= {"out": out.split("\n")[:-1], "err": err, **facts}
        self.write(record)
        return record

    def write(self, record):
        self.history.write(json.dumps(record) + "\n")
        self.history.flush()

    def note(self, op, begin, **facts):
        """Write down what several programs came to."""
        self.write({"op": op, "begin": begin, "end": now(), "exit": 0, "stopped": False, **facts})

    def torment(self, process, life, takes):
        dice = self.random.random() if takes else 1
        if life < LONGEST:
            self.end(process, life)
        elif dice < 0.15 * self.violence:
            self.pause(self.moment(takes))
            process.kill()
        elif dice < 0.3 * self.violence:
            self.pause(self.moment(takes))
            process.send_signal(signal.SIGSTOP)
            self.pause(self.random.uniform(0, 0.2))
            process.send_signal(signal.SIGKILL if dice < 0.2 * self.violence else signal.SIGCONT)
            return True
        return False

    def end(self, process, life):
        """One that would go on for ever."""
        self.pause(life)
        process.send_signal(signal.SIGKILL if self.random.random() < self.violence else signal.SIGTERM)

    def moment(self, takes):
        """When to do harm to a program that takes so long."""
        return self.random.expovariate(1 / takes)

    def pause(self, seconds):
        time.sleep(seconds)

    def body(self):
        self.sent += 1
        return make_body(f"{self.name}.{self.sent}", self.random.choice([0, 10, 1000, 5000]))

    # ---- roles ----

    def sender(self):
        count = self.random.choice([1, 1, 1, 1, 20])
        bodies = [self.body() for _ in range(count)]
        words = ["mq-send", "-p", str(self.random.choice([0, 4, 4, 9]))]
        if self.random.random() < 0.2:
            words += ["-d", "40ms"]
        self.call("send", *words, "-l", QUEUE, data="".join(f"{body}\n" for body in bodies), bodies=bodies)
        self.pause(self.random.uniform(0, 0.01))

    def appender(self):
        bodies = []
        for _ in range(self.random.choice([1, 1, 1, 20])):
            self.sent += 1
            bodies.append(make_body(f"{self.name}.{self.sent}", self.random.choice([0, 1000, 5000])))
        self.call("append", "mq-send", "-l", LOG, data="".join(f"{body}\n" for body in bodies), bodies=bodies)
        self.pause(self.random.uniform(0, 0.01))

    def orderer(self):
        """Sends to a group of its own, one message or some at once, in the order of their numbers."""
        bodies = []
        for _ in range(self.random.choice([1, 1, 3])):
            self.sent += 1
            bodies.append(make_body(f"{self.name}.{self.sent}", self.random.choice([0, 1000])))
        lines = "".join(f"{body}\n" for body in bodies)
        self.call("order", "mq-send", "-l", "-g", self.name, ORDERED, data=lines, bodies=bodies)
        self.pause(self.random.uniform(0, 0.01))

    def taker(self):
        self.call("take", "mq-recv", "-a", "-j", "-w", "50ms", "-t", "200ms", "-n", "3", ORDERED)

    def repeater(self):
        """Sends once what others of this role send at the same moment, and again until it knows that it is sent."""
        number = now() // 40_000
        id_, body = f"once-{number}", make_body(f"once.{number}", 100)
        for _ in range(5):
            if self.call("send", "mq-send", "--once", "-i", id_, QUEUE, body, bodies=[body])["exit"] == 0:
                break
        self.pause(self.random.uniform(0, 0.03))

    def worker(self):
        lease = self.random.choice([20, 100, 400])
        words = ("mq-recv", "-j", "-w", "100ms", "-t", f"{lease}ms", QUEUE)
        got = self.call("recv", *words, timeout=lease * 1000)
        for line in got["out"]:
            self.work(json.loads(line)["receipt"])

    def work(self, receipt):
        self.pause(self.random.choice([0, 0, 0.01, 0.04]))
        choice = self.random.random()
        if choice < 0.2:
            self.call("extend", "mq-ack", "--extend=100ms", receipt, receipt=receipt, timeout=100_000)
            self.pause(self.random.choice([0, 0.03, 0.09]))
        choice = self.random.random()
        if choice < 0.65:
            self.call("ack", "mq-ack", receipt, receipt=receipt)
        elif choice < 0.8:
            delay = self.random.choice(["0", "30ms"])
            self.call("nack", "mq-ack", "--nack", f"--delay={delay}", receipt, receipt=receipt)
        elif choice < 0.85:
            self.call("reject", "mq-ack", "--reject", receipt, receipt=receipt)
        elif choice < 0.9:
            self.call("release", "mq-ack", "--release", receipt, receipt=receipt)

    def consumer(self):
        if self.random.random() < 0.5:
            self.call("consume", "mq-recv", "-a", "-j", "-n", "5", "-w", "50ms", "-t", "100ms", QUEUE)
        else:
            life = self.random.uniform(0.01, 0.3)
            self.call("consume", "mq-recv", "-a", "-j", "-f", "-t", "100ms", QUEUE, life=life)

    def sweeper(self):
        self.call("upkeep", "mq-queue", "sweep", QUEUE)
        self.pause(self.random.uniform(0, 0.1))

    def watcher(self):
        self.call("check", "mq-queue", "check", QUEUE)
        self.call("upkeep", *self.random.choice([("mq-stat", "-j"), ("mq-queue", "peek", "-n", "1000")]), QUEUE)
        self.pause(self.random.uniform(0, 0.1))

    def retrier(self):
        listed = self.call("upkeep", "mq-dlq", "list", "-j", QUEUE)
        dead = [json.loads(line)["id"] for line in listed["out"]]
        if dead:
            self.call("upkeep", "mq-dlq", "retry", QUEUE, *dead, retried=dead)
        self.pause(self.random.uniform(0, 0.3))

    def act(self):
        getattr(self, self.role)()

    def run(self, stop):
        while not stop.is_set():
            self.act()


def embody(user, do, *agent):
    """A process that is an agent, and does something as a user; the history is still opened as who we are."""

    def live():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        embodied = Agent(*agent)
        users.become(user)
        do(embodied)

    return multiprocessing.Process(target=live)


class Crowd:
    """Agents at work, each with a role and a user: with Crowd(…) as crowd: …"""

    def __init__(self, cast, spool, history, seed, violence):
        self.stop = multiprocessing.Event()
        self.processes = []
        for number, (role, user) in enumerate(cast):
            agent = (f"{role}-{number}-{seed}", role, spool, history, seed * 1000 + number, violence)
            self.processes.append(embody(user, lambda embodied: embodied.run(self.stop), *agent))

    def __enter__(self):
        for process in self.processes:
            process.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        for process in self.processes:
            process.join()

    def failed(self):
        return [process.name for process in self.processes if process.exitcode]


def read_history(history):
    """All that was written down, in the order of its beginning."""
    records = []
    for file in history.glob("*.jsonl"):
        with open(file, encoding="utf-8") as lines:
            records += [json.loads(line) for line in lines]
    return sorted(records, key=lambda record: record["begin"])
