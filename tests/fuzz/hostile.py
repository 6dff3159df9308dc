#!/usr/bin/python3
"""A user who may only send does all that the modes of a queue let him, for so many seconds.

hostile.py QUEUE SECONDS [SEED]    QUEUE is the queue's directory, and the files are made in the current one

He forges names and contents, uses everything that is no file, keeps his files open and changes them while others read
them, holds leases and uses up links. He never writes the word "honest".
"""

import fcntl
import os
import random
import signal
import socket
import sys
import time

QUEUE, SECONDS = sys.argv[1], float(sys.argv[2])
SEED = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
chance = random.Random(SEED)
INBOX, TMP, WAITERS = QUEUE + "/delayed/0000000000000", QUEUE + "/tmp", QUEUE + "/waiters"
UUID = "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11"
held = []  # our own files, open


def moment():
    now = int(time.time() * 1e6)
    return chance.choice([0, 1, now, now, now - 10**6, now + chance.randrange(3 * 10**6), now + 10**9, (1 << 52) - 1])


def position():
    word = chance.choice([chance.getrandbits(48), chance.getrandbits(48), chance.getrandbits(64), 0, (1 << 64) - 1,
                          (1 << 52) - 1, 0xFFFFFFFFFFFFF000, int(time.time() * 1e6) << 12])
    return f"{chance.randrange(10)}{word:016x}"


def number(digits):
    return chance.choice([0, 1, 2, 5, 7, 256, 4096, 10**digits - 1, 10**digits, chance.randrange(10**digits)])


def fields():
    known = [
        lambda: f"a{number(9)}",
        lambda: f"n{number(4)}",
        lambda: f"o{number(7)}",
        lambda: f"l{number(7)}",
        lambda: f"s{number(7)}-{chance.choice([0x123456789AB, chance.getrandbits(48)]):012x}",
        lambda: f"x{moment():013x}",
        lambda: f"b{moment():013x}",
        lambda: f"c{chance.getrandbits(64):016x}",
        lambda: f"p{number(9)}-{'x' * chance.randrange(10)}",
        lambda: "r" + "%41" * chance.randrange(28),
        lambda: chance.choice("fzqk") + "y" * chance.randrange(31),
    ]
    return "".join("." + chance.choice(known)() for _ in range(chance.randrange(4)))


def identity():
    return chance.choice(["m", "n", UUID, "i" * 64, "-", "_" + str(chance.randrange(9))])


def name(of):
    if chance.random() < 0.1:
        return "".join(chance.choice("0123456789abcdefxyz.-_ \n\x1b") for _ in range(chance.randrange(1, 80)))
    attempts = "" if chance.random() < 0.3 else ".a0"
    return f"{moment():013x}.{position()}.{of}{attempts}{fields()}"[:255]


def headers(of):
    length = chance.choice(["", "", "3", "-1", "0", "18446744073709551615", "18446744073709551616", "1099511627776"])
    lines = [f"Id: {of}"] * (chance.random() < 0.9) + [f"Content-Length: {length}"] * (length != "")
    lines += [chance.choice(["Mq-Count: 0", "Mq-Count: 4294967296", "X: \udcff", "Reply-To: ../x", "Type: " + "y" * 70000,
                             "Expires: 9999999999999", "Timestamp: -1"])] * (chance.random() < 0.3)
    if chance.random() < 0.2:
        lines = ["Mq-Separator: " + chance.choice(["newline", "null", "none", ""])] + lines
    chance.random() < 0.2 and chance.shuffle(lines)
    return ("\n".join(lines) + "\n\n").encode("utf8", "surrogateescape")


def content(of):
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(5000))
    return b"".join(headers(of) + chance.choice([b"abc", b"", b"x" * 100000, b"1\n2\n3\n"])
                    for _ in range(chance.choice([1, 1, 1, 2, 5])))


def make(of):
    path = f"own{chance.getrandbits(64):016x}"
    file = os.open(path, os.O_RDWR | os.O_CREAT, chance.choice([0o666, 0o666, 0o666, 0o600, 0, 0o7777]))
    os.write(file, content(of))
    os.fchmod(file, chance.choice([0o666, 0o666, 0o666, 0o600, 0]))
    held.append(file)
    if len(held) > 60:
        os.close(held.pop(0))
    return path, file


def plant():
    of = identity()
    path, file = make(of)
    where = chance.choice([INBOX] * 6 + [TMP, WAITERS])
    target = name(of) if where == INBOX else chance.choice([f"split-{position()}.{of}.{0x123456789AB:012x}", name(of)])
    os.link(path, f"{where}/{target}")
    harm = chance.random()
    if harm < 0.1:
        os.truncate(file, chance.choice([0, 1, 1 << 30, 1 << 40, (1 << 63) - 1]))
    elif harm < 0.2:
        os.utime(file, (chance.choice([-(1 << 62), -1, 0, 1 << 62]),) * 2)
    elif harm < 0.25:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    elif harm < 0.27:
        for i in range(70000):
            os.link(path, f"{path}-{i}")
    if chance.random() < 0.9:
        os.unlink(path)


def change():
    file = chance.choice(held)
    kind = chance.randrange(4)
    if kind == 0:
        os.ftruncate(file, chance.choice([0, 10, 100, 1 << 20, 1 << 40]))
    elif kind == 1:
        os.pwrite(file, content(identity()), chance.choice([0, 0, 10, 5000]))
    elif kind == 2:
        os.fchmod(file, chance.choice([0, 0o666, 0o600, 0o4777]))
    else:
        fcntl.fcntl(file, fcntl.F_SETLEASE, chance.choice([fcntl.F_WRLCK, fcntl.F_UNLCK]))


def litter():
    path = f"{chance.choice([INBOX, TMP, WAITERS])}/{name(identity())}"
    kind = chance.randrange(6)
    if kind == 0:
        os.mkfifo(path)
    elif kind == 1:
        os.mkdir(path, chance.choice([0o777, 0o700, 0]))
    elif kind == 2:
        os.symlink(chance.choice(["/etc/passwd", ".", "nowhere", QUEUE + "/ready"]), path)
    elif kind == 3:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(path)
    elif kind == 4:
        os.link(chance.choice(["/etc/passwd", f"{QUEUE}/config"]), path)
    else:
        os.mkfifo(f"{WAITERS}/waiter-{chance.getrandbits(64):016x}", 0o666)


def main():
    os.umask(0)
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # somebody waits for a lease of ours
    print("seed", SEED, flush=True)
    end, done = time.monotonic() + SECONDS, 0
    while time.monotonic() < end:
        try:
            chance.choice([plant, plant, plant, change, litter])()
            done += 1
        except (OSError, IndexError, OverflowError, ValueError):
            pass  # what he may not do is not done
        time.sleep(chance.choice([0, 0, 0.001, 0.02]))
    print("done", done, flush=True)


main()
