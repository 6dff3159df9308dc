"""The programs under test: those of $MQ_BUILD, or of build/."""

import os
import shutil
import subprocess
from pathlib import Path

PROGRAMS = ("mq-ack", "mq-dlq", "mq-log", "mq-queue", "mq-recv", "mq-send", "mq-stat", "mq-topic", "mq-tx")
ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("MQ_BUILD") or ROOT / "build")


def environment(spool):
    """What they are to run in."""
    # What strace uses, the leak detector of the sanitizers needs for itself; and faketime is loaded before them.
    return {
        **os.environ,
        "PATH": f"{BUILD}:{os.environ['PATH']}",
        "MQ_SPOOL": str(spool),
        "ASAN_OPTIONS": "detect_leaks=0:verify_asan_link_order=0",
    }


def open_to_all(place):
    """From now on use copies that every user can run, wherever the programs themselves lie."""
    global BUILD
    for directory in ("", "dynamic"):
        (place / directory).mkdir(mode=0o755)
        for program in PROGRAMS:
            if (BUILD / directory / program).exists():
                shutil.copy(BUILD / directory / program, place / directory)
                (place / directory / program).chmod(0o755)
    BUILD = place


def use_broken(place, file, right, wrong):
    """From now on use programs that were built in a place of their own, with one edit in one file."""
    global BUILD
    for part in ("lib", "cmd"):
        shutil.copytree(ROOT / part, place / part)
    shutil.copy(ROOT / "Makefile", place)
    if not os.environ.get("SANITIZE"):
        # Only what is edited is compiled anew.
        for part in ("lib", "cmd"):
            shutil.copytree(BUILD / part, place / "build" / part)
    text = (place / file).read_text()
    if text.count(right) != 1:
        raise RuntimeError(f"{file} does not have once: {right}")
    (place / file).write_text(text.replace(right, wrong))
    BUILD = place / "build"
    targets = [f"build/{program}" for program in PROGRAMS]
    environment = {name: value for name, value in os.environ.items() if name not in ("BUILD", "MAKEFLAGS", "SANITIZE")}
    make = ["make", "-s", "-j2", "-C", str(place), "CFLAGS=-O0", *targets]
    subprocess.run(make, check=True, env=environment, capture_output=True)
