"""The judge's part for what moves several messages as one (tests/shared/movers.py): all or none, and exactly once.

As the judge it knows what programs said and when, and what there is in the end: of the messages in end.json those with
another queue than the storm's, and from the record `stock` what is unfinished in the outbox, and what the files hold.
"""

import json
from collections import Counter, defaultdict

from shared.movers import CHAIN, GRAVES, KEYS, LEDGER, SUBSCRIBED

TRANSACTION = KEYS["a.x"]  # where a ledger's publication goes
QUEUE = "storm"  # where a message of the end is that names none
MAY_END = {"link": (1, 123), "move": (1, 66), "take": (1,), "subscribe": (1,), "bound": (1,)}


class Moves:
    def __init__(self, records, end, wrong):
        self.records, self.wrong = records, wrong
        self.end = [message for message in end if message.get("queue", QUEUE) != QUEUE]
        self.ids = defaultdict(set)  # (queue, body): of the messages that were seen there
        self.reads = [(record, json.loads(line)) for record in self.of("subscribe") for line in record["out"]]
        for queue, told in [(record["queue"], told) for record, told in self.reads] + [(m["queue"], m) for m in self.end]:
            self.ids[queue, told["body"]].add(told["id"])

    def of(self, op):
        return [record for record in self.records if record["op"] == op]

    def reached(self, body):
        return {queue for queue in SUBSCRIBED if (queue, body) in self.ids}

    # ---- publications ----

    def publications(self):
        for record in self.of("publish"):
            for number, body in enumerate(record["bodies"]):
                reported = number < len(record["out"])
                self.all_or_none(body, set(record["queues"]), reported, record["exit"] > 0 and not reported)

    def all_or_none(self, body, queues, sure, never=False):
        reached = self.reached(body)
        if reached not in (set(), queues):
            self.wrong["in part"].append(f"{body[:40]}: {sorted(reached)} of {sorted(queues)}")
        elif sure and not reached:
            self.wrong["published and lost"].append(body[:40])
        elif never and reached:
            self.wrong["refused and published"].append(body[:40])

    def copies(self):
        """The copies of a publication have one id, there is one in each queue, and none comes back after its ack."""
        by_body = defaultdict(set)
        for (queue, body), ids in self.ids.items():
            if queue in SUBSCRIBED:
                by_body[body] |= ids
        self.wrong["published twice"] += [body[:40] for body, ids in by_body.items() if len(ids) > 1]
        there = Counter((message["queue"], message["id"]) for message in self.end)
        self.wrong["in two places"] += [f"{queue}/{id_}" for (queue, id_), count in there.items() if count > 1]
        known = {body for record in self.of("publish") for body in record["bodies"]}
        known |= {record["body"] for record in self.of("moves")}
        self.wrong["not published"] += [body[:40] for body in by_body.keys() - known]
        acked = {}
        for record, told in self.reads:
            key = record["queue"], told["id"]
            if key in there and record["exit"] == 0 or acked.get(key, record["end"]) < record["begin"]:
                self.wrong["back after their ack"].append("/".join(key))
            if record["exit"] == 0:
                acked[key] = min(record["end"], acked.get(key, record["end"]))

    # ---- the chain ----

    def chain(self):
        """Whatever was killed: what was fed is in one place, and there once."""
        there = Counter(message["body"] for message in self.end if message["queue"] in (*CHAIN, GRAVES))
        fed = {body: record for record in self.of("feed") for body in record["bodies"]}
        for body, record in fed.items():
            if there[body] > 1:
                self.wrong["done twice"].append(body[:40])
            elif record["exit"] == 0 and not there[body]:
                self.wrong["lost in the chain"].append(body[:40])
        self.wrong["not fed"] += [body[:40] for body in there.keys() - fed.keys()]

    # ---- transactions ----

    def transactions(self):
        listed = Counter(message["body"] for message in self.end if message["queue"] == LEDGER)
        first = {message["body"] for message in self.end if message["queue"] == CHAIN[0]}
        for record in self.of("moves"):
            count, outcome = listed[record["body"]], record["outcome"]
            self.all_or_none(record["body"], set(TRANSACTION), count > 0, count == 0)
            if count > 1:
                self.wrong["done twice"].append(record["body"])
            if (outcome == "done" and not count) or (outcome == "undone" and count):
                self.wrong[f"{outcome}, and is not"].append(record["body"])
            if count and record["claim"] in first:
                self.wrong["in part"].append(f"{record['body']}: done, and its claim is there")

    def files(self):
        """A file says what the last transaction did that happened."""
        listed = {message["body"] for message in self.end if message["queue"] == LEDGER}
        last = Counter()
        for record in self.of("moves"):
            if record["body"] in listed:
                last[record["file"]] = max(last[record["file"]], record["number"])
        for stock in self.of("stock"):
            for file in last.keys() | stock["files"].keys():
                if stock["files"].get(file, 0) != last[file]:
                    self.wrong["in part"].append(f"{file}: {stock['files'].get(file)}, but {last[file]} was sent")
            self.wrong["unfinished"] += stock["unfinished"]

    def behave(self):
        for op, statuses in MAY_END.items():
            for record in self.of(op):
                if record["exit"] > 0 and record["exit"] not in statuses:
                    self.wrong[f"{op} failed"].append(f"{record['exit']}: {record['err'].strip()}")
        for op in ("feed", "publish"):
            self.wrong[f"{op} failed"] += [f"{r['exit']}: {r['err'].strip()}" for r in self.of(op) if r["exit"] > 0]

    def judge(self):
        self.behave()
        self.publications()
        self.copies()
        self.chain()
        self.transactions()
        self.files()

    def figures(self):
        outcomes = Counter(record["outcome"] for record in self.of("moves"))
        ends = Counter(message["queue"] for message in self.end)
        return {
            "published": sum(len(record["bodies"]) for record in self.of("publish")),
            "chained": ends[CHAIN[-1]],
            "died and went on": ends[GRAVES],
            **{f"transactions {outcome}": count for outcome, count in sorted(outcomes.items())},
            "in part": len(self.wrong["in part"]),
            "done twice": len(self.wrong["done twice"]) + len(self.wrong["published twice"]),
        }
