"""An operation that is walked through: staged once, traced once, and copied for each point of it."""

import time

from crash.stage import Stage
from crash.tracing import CHANGES
from crash.verdict import look, modes, now
from shared import spool

SAMPLE = 3  # so many points, about, of all but the main operations in the short form


class Walked:
    """An operation, what it finds, and what it does when nobody interferes."""

    def __init__(self, operation, durability, place, tracer):
        self.operation, self.durability = operation, durability
        self.tracer = tracer
        self.copies = 0
        self.handles = None  # those that had a queue open in the last run
        self.template = self.stage(place / "template")
        self.before = look(self.template)
        self.also = self.find_fault()
        self.calls, self.after, self.modes = self.run_clean()
        self.modes |= modes(self.template)

    def stage(self, path):
        template = Stage(path, self.operation.mode)
        template.make()
        settings = ("max-attempts=none", f"durability={self.durability}")
        if self.operation.order:
            argument = self.stage_ordered(template, settings)
        else:
            template.create("jobs", *settings)
            template.send("held")
            template.claim("-t", "1d")
            template.send("bystander", "-p", "0")
            argument = self.operation.stage(template) or ""  # the last, since every program does what is due
        words = argument if isinstance(argument, tuple) else (argument,)
        self.command = [
            replaced
            for word in self.operation.command
            for replaced in (words if word == "{}" else [word.replace("{}", words[0])])
        ]
        self.wait_for_times(template)
        return template

    def stage_ordered(self, template, settings):
        """The bystanders are groups: one that is held up by a claim, and one whose turn comes last."""
        template.create("jobs", *settings, f"order={self.operation.order}")
        template.send("held 1", "-g", "held")
        template.claim("-t", "1d")
        template.send("held 2", "-g", "held")
        argument = self.operation.stage(template) or ""
        template.send("bystander", "-g", "bystander")
        return argument

    def wait_for_times(self, template):
        """What the operation finds due, lapsed or expired shall be so."""
        soon = now() + 1_000_000
        moments = [moment for m in spool.read(template.path) for moment in (m.time, m.expires) if moment < soon]
        time.sleep(max(0, max(moments) - now() + 1000) / 1e6)

    def copy(self):
        self.copies += 1
        return self.template.copy(self.template.path.with_name(f"spool-{self.copies}"))

    def trace(self, stage, injections=(), traced="all"):
        with self.operation.around(stage.path) as self.handles:
            done = self.tracer.run(stage, self.command, injections, traced, self.operation.data, self.user(stage))
            if self.handles:
                self.handles.go_on()
            return done

    def trace_clean(self, stage, also=()):
        done = self.trace(stage, also)
        if done.returncode != self.operation.exits:
            raise RuntimeError(f"{self.operation.name}: exit status {done.returncode}: {done.stderr.strip()}")
        return stage

    def user(self, stage):
        return self.operation.user or stage.owner

    def find_fault(self):
        """The fault that is there all the time: {TEXT} in it is how-manieth its call with TEXT in it is."""
        if not self.operation.also:
            return []
        name = self.operation.also.split(":")[0]
        head, text = self.operation.also.rstrip("}").split("{")
        self.trace_clean(self.copy()).remove()
        nth = next(call.nth for call in self.tracer.calls() if call.name == name and text in call.text)
        return [f"{head}{nth}"]

    def run_clean(self):
        stage = self.trace_clean(self.copy(), self.also)
        calls, after, its_modes = self.tracer.calls(), look(stage), modes(stage)
        if not any(self.operation.does in call.name + call.text for call in calls):
            raise RuntimeError(f"{self.operation.name}: does no {self.operation.does}")
        if not self.operation.removes and self.before.keys() - after.keys():
            raise RuntimeError(f"{self.operation.name}: removes {self.before.keys() - after.keys()}")
        stage.remove()
        return calls, after, its_modes

    def points(self, kind, short):
        """The calls to do harm at; strace keeps one fault a call. Before the spool they are the loader's."""
        first = next(i for i, call in enumerate(self.calls) if str(self.template.path.parent) in call.text)
        busy = [fault.split(":")[0] for fault in self.also]
        calls = self.calls[first:] if short or kind == "fail" else self.calls
        calls = [call for call in calls if call.name not in busy]
        if short and self.operation.order and kind != "fail":
            calls = [call for call in calls if call.name in CHANGES]  # between two of them it looks the same
        return calls[:: len(calls) // SAMPLE + 1] if short and not self.operation.main else calls
