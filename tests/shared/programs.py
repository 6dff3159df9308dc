"""The programs under test: those of $MQ_BUILD, or of build/."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("MQ_BUILD") or ROOT / "build")


def environment(spool, build=BUILD):
    """What they are to run in."""
    # What strace uses, the leak detector of the sanitizers needs for itself.
    return {**os.environ, "PATH": f"{build}:{os.environ['PATH']}", "MQ_SPOOL": str(spool), "ASAN_OPTIONS": "detect_leaks=0"}
