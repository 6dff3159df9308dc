#!/usr/bin/env python3
"""Throw random files, links, FIFOs, directories, names and permissions into a live queue.

    litter.py QUEUE-DIRECTORY OUTSIDE-FILE SECONDS [SEED]

Everything thrown in has `litter` in its name or, where the name is a message's, in its id. Links lead to OUTSIDE-FILE.
At the end it names what is in the way of nobody but was deleted: litter that is no message's must stay.
"""
import os
import random
import sys
import time

queue, outside, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 32)
print("seed", seed, flush=True)
dice = random.Random(seed)
places = ["ready", "delayed", "inflight", "dead", "waiters", "host", "tmp", "."]
made = []


def name():
    position = "5%016x" % dice.getrandbits(64)
    moment = "%013x" % dice.choice([0, 1, int(time.time() * 1e6), (1 << 52) - 1])
    identity = "litter-%08x" % dice.getrandbits(32)
    return dice.choice([
        identity, "." + identity, identity + "\n\x1b[31m", identity + "\xff" * dice.randrange(40),
        f"{position}.{identity}.a0", f"{moment}.{position}.{identity}.a0",
        f"{moment}.{position}.{identity}.a1.c%016x" % dice.getrandbits(64), f"{position}.{identity}.a0.x{moment}",
        f"{position}.{identity}.a99999999999", f"{position}.{identity}", f"5-{moment}.{identity}"])


def place():
    directory = os.path.join(queue, dice.choice(places))
    buckets = [entry.path for entry in os.scandir(directory) if entry.is_dir(follow_symlinks=False)]
    return dice.choice(buckets) if buckets and dice.random() < 0.7 else directory


def throw(path):
    kind = dice.randrange(6)
    if kind == 0:
        os.symlink(outside, path)
    elif kind == 1:
        os.mkfifo(path, 0o600)
    elif kind == 2:
        os.mkdir(path)
    elif kind == 3:
        os.symlink(os.path.dirname(outside), path)
    else:
        with open(path, "wb") as file:
            file.write(dice.randbytes(dice.randrange(300)))
        os.chmod(path, dice.choice([0, 0o400, 0o600, 0o7777]))
    return kind


end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        path = os.path.join(place(), name())
        kind = throw(path)
        base = os.path.basename(path)
        if base.startswith("litter"):
            made.append(path)
    except OSError:
        continue
    time.sleep(0.002)

vanished = [path for path in made if not os.path.lexists(path)]
print("thrown", len(made), "vanished", len(vanished))
sys.exit(1 if vanished else 0)
