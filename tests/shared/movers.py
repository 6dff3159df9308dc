"""Roles of agents that move several messages as one: through topics, transactions and a chain of queues.

    publisher   sends to the topic: single messages and lines, with keys that go to different queues
    subscriber  consumes what the topic's queues get
    feeder      sends to the first queue of the chain
    linker      moves messages along the chain, each by a worker's transaction; at times its commands are killed or fail
    ledger      makes transactions of a claim, a message on, a line in a queue of its own, a publication and a file
    binder      binds and unbinds a queue that gets nothing
    follower    follows the topic for a while
    housekeeper sweeps, and looks at what there is

What a transaction was meant to do is a record of its own in the history, with op `moves`: `number`, and `outcome`, which
is done, undone or unknown.
"""

import json

TOPIC, INNER = "news", "inner"
KEYS = {  # the queues that a key leads to; one of them twice, one by way of another topic
    "a.x": ["news-all", "news-some", "news-x", "news-inner"],
    "b": ["news-all", "news-some"],
    "c.d.x": ["news-all", "news-some", "news-x"],
    "": ["news-all"],
}
SUBSCRIBED = sorted({queue for queues in KEYS.values() for queue in queues})
CHAIN = ("one", "two", "three")
GRAVES = "graves"  # where the chain's dead letters go on to
LEDGER = "ledger"
ATTEMPTS = 6  # of a message of the chain
DEADLINE = "2s"  # of a ledger's transaction
LONG = 0.02  # seconds that a program takes which runs others
ROLES = ["publisher"] * 2 + ["subscriber", "feeder"] + ["linker"] * 2 + ["ledger"] * 2
ROLES += ["binder", "follower", "housekeeper"]


def set_up(run):
    """Make the queues and topics; `run` runs a program."""
    for queue in (*SUBSCRIBED, LEDGER, GRAVES, CHAIN[-1]):
        run("mq-queue", "create", queue, "max-attempts=none")
    for queue in CHAIN[:-1]:
        limits = (f"max-attempts={ATTEMPTS}", "retry-delay=10ms", "retry-max-delay=50ms")
        run("mq-queue", "create", queue, f"dead-letter={GRAVES}", *limits)
    run("mq-queue", "config", "news-some", "durability=none")
    for topic in (TOPIC, INNER):
        run("mq-topic", "create", topic)
    run("mq-topic", "bind", TOPIC, "news-all")
    run("mq-topic", "bind", TOPIC, "news-some", "-k", "b", "-k", "#.x", "-k", "a.*")
    run("mq-topic", "bind", TOPIC, "news-x", "-k", "#.x")
    run("mq-topic", "bind", TOPIC, INNER, "-k", "*.x")
    run("mq-topic", "bind", INNER, "news-inner")
    run("mq-topic", "bind", INNER, "news-all")


class Mover:
    """What an agent needs for these roles; it has call(), pause(), body(), note() and random."""

    def publisher(self):
        key = self.random.choice(list(KEYS))
        bodies = [self.body() for _ in range(self.random.choice([1, 1, 1, 10]))]
        words = ("-k", key) if key else ()
        data = "".join(f"{body}\n" for body in bodies)
        self.call("publish", "mq-send", "-l", *words, TOPIC, data=data, bodies=bodies, queues=KEYS[key])
        self.pause(self.random.uniform(0, 0.02))

    def subscriber(self):
        queue = self.random.choice(SUBSCRIBED)
        self.call("subscribe", "mq-recv", "-a", "-j", "-n", "9", "-w", "20ms", "-t", "100ms", queue, queue=queue)
        self.pause(self.random.uniform(0, 0.03))

    def feeder(self):
        body = self.body()
        self.call("feed", "mq-send", CHAIN[0], body, bodies=[body])
        self.pause(self.random.uniform(0, 0.02))

    def linker(self):
        step = self.random.choice([0, 1])
        send = ("mq-send", "-q", CHAIN[step + 1])
        dice = self.random.random()
        if dice < 0.15:
            send = ("timeout", "-s", "KILL", f"{self.moment(0.003):.6f}", *send)
        elif dice < 0.25:
            send = ("sh", "-c", f"{' '.join(send)}; exit {self.random.choice([1, 65])}")
        elif dice < 0.35:
            send = ("sh", "-c", f"sleep 0.03; exec {' '.join(send)}")
        options = ("-t", f"{self.random.choice([50, 400, 1000])}ms", "-P", str(self.random.choice([1, 2])))
        once = ("--once",) * self.random.choice([0, 1])
        words = ("mq-recv", "-q", "--tx", *once, "-n", "4", "-w", "50ms", *options, CHAIN[step], "--", *send)
        self.call("link", *words, takes=LONG)

    # ---- a transaction of everything ----

    def ledger(self):
        got = self.call("take", "mq-recv", "-j", "-w", "50ms", "-t", self.random.choice(["100ms", "2s", "2s"]), CHAIN[0])
        if not got["out"]:
            return
        claim = json.loads(got["out"][0])
        begun = self.call("move", "mq-tx", "begin", "-t", DEADLINE)
        if begun["exit"] != 0:  # what others have committed may not be carried out yet, and nothing is to replace the file
            return
        self.number += 1
        facts = {"file": str(self.file), "number": self.number, "claim": claim["body"]}
        facts |= {"outcome": self.move(claim, begun["out"][0]), "begin": begun["begin"]}
        self.note("moves", body=f"{self.name}.{self.number}", **facts)

    def move(self, claim, tx):
        """Put everything in, and decide; returns the outcome."""
        name = f"{self.name}.{self.number}"
        steps = (
            (("mq-send", "-q", "--tx", tx, CHAIN[1], claim["body"]), ""),
            (("mq-send", "-q", "--tx", tx, LEDGER, name), ""),
            (("mq-send", "-q", "--tx", tx, "-k", "a.x", TOPIC, name), ""),
            (("mq-tx", "put", tx, str(self.file)), str(self.number)),
        )
        for words, data in steps:
            takes = self.random.choice([0, 0, 0, 0, 0.0015, LONG])  # so that there is something to commit
            if self.call("move", *words, data=data, takes=takes)["exit"] != 0:
                return "undone"  # at its deadline
        if self.random.random() < 0.15:
            self.call("move", "mq-tx", "abort", tx)
            return "undone"
        takes = self.random.choice([0.0015, LONG])
        status = self.call("move", "mq-tx", "commit", f"--ack={claim['receipt']}", tx, takes=takes)["exit"]
        return "done" if status == 0 else "unknown" if status < 0 else "undone"

    # ---- others ----

    def binder(self):
        self.call("bound", "mq-topic", "bind", TOPIC, "news-none", "-k", "no.body")
        self.call("bound", "mq-topic", "unbind", TOPIC, "news-none")
        self.pause(self.random.uniform(0, 0.2))

    def follower(self):
        """Its queue gets what is published, and goes with it or is removed by others."""
        self.call("bound", "mq-topic", "follow", "-j", "-n", "3", "-w", "50ms", TOPIC, takes=LONG)
        self.pause(self.random.uniform(0, 0.2))

    def housekeeper(self):
        self.call("check", "mq-queue", "check", *SUBSCRIBED, *CHAIN, GRAVES, LEDGER)
        looks = (("mq-tx", "list"), ("mq-topic", "list", "-j"), ("mq-stat", "-j"), ("mq-queue", "sweep"))
        self.call("upkeep", *self.random.choice(looks))
        self.pause(self.random.uniform(0, 0.1))
