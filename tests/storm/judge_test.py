#!/usr/bin/env python3
"""The judges of storms: each believes a history in which all promises are kept, and sees each way to break one.

The histories are made up. Times are microseconds; a claim's deadline is in its receipt.
"""

import hashlib
import json
import sys
import unittest
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

HERE = Path(__file__).resolve().parent


def load(name):
    loader = SourceFileLoader(name, str(HERE / name))
    module = module_from_spec(spec_from_loader(name, loader))
    sys.dont_write_bytecode = True  # beside the sources
    loader.exec_module(module)
    return module


judge = load("judge")
log = load("log")


def body(key):
    text = f"{key} xx"
    return f"{text} {hashlib.sha256(text.encode()).hexdigest()}"


def receipt(id_, deadline):
    return f"storm/{deadline:013x}.5661015bd116d2000.{id_}.a1.c1f2e948b2ad5fe15"


class History(unittest.TestCase):
    """A history that begins, ends, and is judged; what programs said is added in any order."""

    def setUp(self):
        self.records = []
        self.end = []
        self.said("start", 0, 0, 0, wall=1000, monotonic=0)
        self.said("stop", 9000, 9000, 0, wall=10000, monotonic=9000)

    def said(self, op, begin, end, status, **facts):
        said = {"op": op, "begin": begin, "end": end, "exit": status, "stopped": False, "err": ""}
        self.records.append(said | facts)

    def wrongs(self):
        case = judge.Judge(sorted(self.records, key=lambda record: record["begin"]), self.end)
        case.judge()
        return {kind: cases for kind, cases in case.wrong.items() if cases}

    def acquits(self):
        self.assertEqual(self.wrongs(), {})

    def convicts(self, kind):
        """Of this, once, and of nothing else."""
        wrongs = self.wrongs()
        self.assertEqual([(kind, 1)], [(kind, len(cases)) for kind, cases in wrongs.items()], wrongs)


class Queue(History):
    def setUp(self):
        super().setUp()
        self.body = body("key")
        self.said("send", 1, 2, 0, out=["one"], bodies=[self.body])

    def claimed(self, id_, begin, end, deadline, attempts=1, text=None):
        told = {"id": id_, "body": text or self.body, "receipt": receipt(id_, deadline), "attempts": attempts}
        self.said("recv", begin, end, 0, out=[json.dumps(told)], timeout=1000)

    def settled(self, op, begin, end, status, id_, deadline):
        self.said(op, begin, end, status, out=[], timeout=1000, receipt=receipt(id_, deadline))

    def left(self, id_, text):
        self.end = [{"id": id_, "body": text}]

    def test_a_message_that_was_sent_claimed_and_acked_is_as_it_should_be(self):
        self.claimed("one", 10, 20, 1000)
        self.settled("ack", 30, 40, 0, "one", 1000)
        self.acquits()

    def test_a_message_that_is_still_there_is_as_it_should_be(self):
        self.left("one", self.body)
        self.acquits()

    def test_a_message_may_be_gone_when_the_acker_was_killed(self):
        self.claimed("one", 10, 20, 1000)
        self.settled("ack", 30, 40, -9, "one", 1000)
        self.acquits()

    def test_a_message_that_is_gone_without_an_ack_is_lost(self):
        self.convicts("lost")

    def test_so_is_one_whose_ack_was_refused(self):
        self.claimed("one", 10, 20, 1000)
        self.settled("ack", 30, 40, 1, "one", 1000)
        self.convicts("lost")

    def test_a_message_is_not_there_after_its_ack(self):
        self.claimed("one", 10, 20, 1000)
        self.settled("ack", 30, 40, 0, "one", 1000)
        self.left("one", self.body)
        self.convicts("back after their ack")

    def test_half_a_body_is_torn(self):
        self.left("one", self.body.partition(" ")[2])
        self.convicts("torn")

    def test_a_message_of_a_send_that_failed_was_not_sent(self):
        self.left("one", self.body)
        self.said("send", 1, 2, 75, out=[], bodies=[body("other")])
        self.claimed("two", 10, 20, 1000, text=body("other"))
        self.assertEqual(self.wrongs()["not sent"], ["two"])

    def test_a_send_makes_one_message_of_a_body(self):
        self.left("one", self.body)
        self.claimed("two", 10, 20, 1000)
        self.convicts("doubled")

    def test_a_claim_may_follow_anothers_deadline_and_any_that_began_before_it_ended_is_one_too_many(self):
        self.left("one", self.body)
        self.claimed("one", 10, 20, 1000)
        self.claimed("one", 900, 1010, 2000, 2)
        self.acquits()
        self.claimed("one", 1100, 1900, 3000, 3)
        self.convicts("held twice")

    def test_an_extension_moves_the_deadline_and_one_that_was_refused_does_not(self):
        self.left("one", self.body)
        self.claimed("one", 10, 20, 1000)
        self.settled("extend", 500, 510, 1, "one", 1000)
        self.claimed("one", 1010, 1020, 2000, 2)
        self.acquits()
        self.settled("extend", 1100, 1110, 0, "one", 2000)  # until 2100
        self.claimed("one", 2010, 2050, 3000, 3)
        self.convicts("held twice")

    def test_whoever_acks_with_success_held_the_claim_until_then(self):
        self.claimed("one", 10, 20, 1000)
        self.claimed("one", 1100, 1200, 2000, 2)
        self.settled("ack", 1300, 1310, 0, "one", 1000)
        self.convicts("held twice")

    def test_a_redelivery_has_a_higher_number_of_attempts(self):
        self.left("one", self.body)
        self.claimed("one", 10, 20, 1000)
        self.claimed("one", 1100, 1200, 2000, 1)
        self.convicts("attempts not counted")
        self.said("upkeep", 1030, 1040, 0, retried=["two"])
        self.convicts("attempts not counted")
        self.said("upkeep", 1030, 1040, -9, retried=["one"])
        self.acquits()

    def test_a_clock_that_was_set_makes_it_impossible_to_judge(self):
        self.left("one", self.body)
        self.said("stop", 9500, 9500, 0, wall=20000, monotonic=9500)
        self.convicts("clock set")


class Moves(History):
    """Topics and transactions."""

    PUBLICATION = ("news-all", "one", "p")
    WHOLE = (
        *(("two", "i0", "fed"), ("ledger", "i1", "l.1")),
        *((queue, "i2", "l.1") for queue in ("news-all", "news-some", "news-x", "news-inner")),
    )

    def published(self, text, status, queues, *ids):
        """A message of that body, with the id that was printed, if one was."""
        self.said("publish", 1, 2, status, out=list(ids), bodies=[text], queues=queues)

    def there(self, *left):
        self.end = [{"queue": queue, "id": id_, "body": text} for queue, id_, text in left]

    def took(self, queue, id_, text, begin, end):
        """A subscriber got it, and acked it."""
        self.said("subscribe", begin, end, 0, queue=queue, out=[json.dumps({"id": id_, "body": text})])

    def fed(self, text, status):
        self.said("feed", 1, 2, status, out=[], bodies=[text])

    def moved(self, outcome):
        """A ledger's transaction, of the claim of `fed`."""
        self.said("moves", 10, 20, 0, outcome=outcome, body="l.1", number=1, file="state", claim="fed")

    def stock(self, number, *unfinished):
        """What the file says, and what is in the outbox."""
        self.said("stock", 9000, 9000, 0, files={"state": number}, unfinished=list(unfinished))

    def one_publication(self):
        self.published("p", 0, ["news-all"], "one")

    def test_a_publication_that_all_of_its_queues_got_or_none_if_it_was_not_reported_is_as_it_should_be(self):
        self.published("p", 0, ["news-all", "news-x"], "one")
        self.published("q", -9, ["news-all", "news-x"])
        self.published("r", -9, ["news-all", "news-some"])
        self.took("news-all", "one", "p", 3, 4)
        self.there(("news-x", "one", "p"), ("news-all", "three", "r"), ("news-some", "three", "r"))
        self.acquits()

    def test_a_publication_that_some_of_its_queues_got_is_in_part_whatever_became_of_its_sender(self):
        self.published("p0", 0, ["news-all", "news-x"])
        self.published("p-9", -9, ["news-all", "news-x"])
        whole = ("news-all", "one", "p0"), ("news-x", "one", "p0")
        self.there(*whole, ("news-all", "two", "p-9"))
        self.assertEqual(self.wrongs(), {"in part": ["p-9: ['news-all'] of ['news-all', 'news-x']"]})
        self.there(*whole, ("news-inner", "one", "p0"))
        self.assertEqual([case[:4] for case in self.wrongs()["in part"]], ["p0: "])

    def test_a_publication_that_was_reported_is_not_nowhere_and_one_that_was_refused_is(self):
        self.one_publication()
        self.convicts("published and lost")
        self.there(self.PUBLICATION, ("news-all", "two", "q"))
        self.published("q", -9, ["news-all"])
        self.acquits()

    def test_a_queue_gets_a_publication_once_and_not_again_after_its_ack(self):
        self.published("p", -9, ["news-all"])
        self.there(self.PUBLICATION, ("news-all", "two", "p"))
        self.convicts("published twice")
        self.there(self.PUBLICATION, self.PUBLICATION)
        self.convicts("in two places")
        self.there()
        self.took("news-all", "one", "p", 10, 20)
        self.took("news-all", "one", "p", 19, 30)
        self.acquits()
        self.took("news-all", "one", "p", 21, 40)
        self.convicts("back after their ack")

    def test_what_nobody_published_is_in_no_queue(self):
        self.one_publication()
        self.there(self.PUBLICATION, ("news-all", "two", "q"))
        self.convicts("not published")

    def test_a_message_of_the_chain_is_at_one_place_and_if_its_sender_was_killed_perhaps_nowhere(self):
        self.one_publication()
        for text, status in (("b1", 0), ("b2", 0), ("b3", 0), ("b4", -9)):
            self.fed(text, status)
        two = self.PUBLICATION, ("one", "i1", "b1"), ("three", "i2", "b2")
        all_three = *two, ("graves", "i3", "b3")
        self.there(*all_three)
        self.acquits()
        self.there(*two)
        self.convicts("lost in the chain")
        self.there(*all_three, ("three", "i4", "b2"))
        self.convicts("done twice")
        self.there(*all_three, ("two", "i4", "b5"))
        self.convicts("not fed")

    def test_a_transaction_happens_as_its_commit_said_with_all_of_its_parts(self):
        self.one_publication()
        self.fed("fed", 0)
        self.moved("done")
        self.stock(1)
        self.there(self.PUBLICATION, *self.WHOLE)
        self.acquits()
        self.there(self.PUBLICATION, ("two", "i0", "fed"))
        self.assertIn("l.1", self.wrongs()["done, and is not"])
        self.there(self.PUBLICATION, *self.WHOLE[:-1])
        self.convicts("in part")
        self.there(self.PUBLICATION, *self.WHOLE[2:], ("two", "i0", "fed"))
        self.assertTrue(self.wrongs().keys() & {"in part", "done, and is not"})
        self.there(self.PUBLICATION, ("one", "i0", "fed"), *self.WHOLE[1:])
        self.convicts("in part")
        self.there(self.PUBLICATION, *self.WHOLE, ("ledger", "i9", "l.1"))
        self.convicts("done twice")

    def test_what_was_undone_leaves_nothing_and_its_file_is_as_it_was(self):
        self.one_publication()
        self.fed("fed", 0)
        self.moved("undone")
        self.stock(0)
        self.there(self.PUBLICATION, ("one", "i0", "fed"))
        self.acquits()
        self.there(self.PUBLICATION, *self.WHOLE)
        self.assertIn("l.1", self.wrongs()["undone, and is not"])

    def test_a_transaction_that_nobody_reported_may_have_happened_but_its_file_says_the_same(self):
        self.one_publication()
        self.fed("fed", 0)
        self.moved("unknown")
        self.there(self.PUBLICATION, ("one", "i0", "fed"))
        self.acquits()
        self.stock(1)
        self.convicts("in part")

    def test_nothing_stays_in_the_outbox(self):
        self.one_publication()
        self.there(self.PUBLICATION)
        self.stock(0, "0123456789abcdef.committed")
        self.convicts("unfinished")


class Log(unittest.TestCase):
    def problem(self, history):
        return log.judge(record.split() for record in history.split(", "))[0]

    def test_the_judge_of_logs_believes_one_sequence(self):
        for right in (
            "sent a b, once c, read r 0 a, read q 0 a, read r 1 b, read q 1 b, read r 2 c, end 0 3",
            "sent a, read r 0 a, missed r 2, read r 3 d, end 3 4",
        ):
            self.assertFalse(self.problem(right), right)

    def test_and_sees_each_way_to_break_it(self):
        for wrong in (
            "read r 0 a, read r 2 b, end 0 3",
            "read r 0 a, read r 0 b, end 0 1",
            "read r 0 a, read q 0 b, end 0 1",
            "read r 0 a, read r 1 a, end 0 2",
            "sent a, read r 0 b, end 0 1",
            "once a b, read r 0 a, end 0 1",
            "read r 1 a, end 0 2",
            "read r 0 a, read r 1 b, end 0 1",
            "read r 0 a, missed r 2, read r 2 b, end 0 3",
            "read r 0 a",
        ):
            self.assertTrue(self.problem(wrong), wrong)


if __name__ == "__main__":
    unittest.main()
