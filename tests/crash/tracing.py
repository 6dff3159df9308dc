"""strace: which system calls a command makes, and what happens when one of them is its last, its pause, or fails."""

import os
import re
from typing import NamedTuple

# What each call can fail with, the likeliest first.
FAULTS = {
    "openat": "EMFILE EACCES ENOSPC EIO EROFS EDQUOT EINTR",
    "openat2": "EMFILE EACCES EIO EINTR",
    "mkdirat": "ENOSPC EDQUOT EACCES EROFS EIO",
    "mknodat": "ENOSPC EDQUOT EACCES EROFS EIO",
    "write": "ENOSPC EIO EDQUOT EINTR",
    "writev": "ENOSPC EIO EDQUOT EINTR",
    "pwritev2": "ENOSPC EIO EAGAIN EOPNOTSUPP EINTR",
    "pwrite64": "ENOSPC EIO EDQUOT EINTR",
    "read": "EIO EINTR",
    "pread64": "EIO EINTR",
    "preadv": "EIO EINTR",
    "ftruncate": "ENOSPC EIO EINTR",
    "fallocate": "ENOSPC EIO EDQUOT EINTR",
    "fdatasync": "EIO ENOSPC EDQUOT EINTR",
    "fsync": "EIO ENOSPC EDQUOT EINTR",
    "syncfs": "EIO ENOSPC EDQUOT",
    "sync_file_range": "EIO ENOSPC ENOSYS",
    "symlinkat": "ENOSPC EDQUOT EIO EACCES EROFS",
    "readlinkat": "EIO EACCES",
    "linkat": "ENOSPC EDQUOT EIO EACCES EROFS",
    "renameat": "ENOSPC EDQUOT EIO EACCES EROFS",
    "renameat2": "ENOSPC EDQUOT EIO EACCES EROFS",
    "unlinkat": "EIO EACCES EROFS",
    "getdents64": "EIO EACCES",
    "newfstatat": "EIO EACCES",
    "fstat": "EIO",
    "fstatfs": "EIO EINTR",
    "faccessat2": "EIO EACCES",
    "fchmod": "EIO EROFS EACCES",
    "fchmodat": "EIO EROFS EACCES",
    "fchown": "EIO EROFS EACCES",
    "utimensat": "EIO EROFS EACCES",
    "mmap": "EACCES",
    "mmap of memory": "ENOMEM",
    "flock": "EINTR",
    "inotify_init1": "EMFILE",
    "inotify_add_watch": "ENOSPC EACCES",
    "close": "EIO EINTR",
}

CHANGES = ("renameat2", "linkat", "unlinkat", "mkdirat", "mknodat", "symlinkat")
SYNCS = ("fsync", "fdatasync", "syncfs")
TIMEOUT = 20  # seconds


class Call(NamedTuple):
    name: str
    nth: int  # of this name, counted from 1
    text: str

    def errors(self):
        kind = self.name
        if kind == "mmap" and os.environ.get("SANITIZE"):
            return []  # sanitizers end a program that gets no memory
        if "MAP_ANONYMOUS" in self.text:
            kind = "mmap of memory"
        elif kind == "close" and "/tmp>" in self.text:
            return []  # strace would leave it open, and with it the lock for settings that it may hold
        elif kind == "newfstatat" and '"",' in self.text:
            kind = "fstat"
        return FAULTS.get(kind, "").split()


class Tracer:
    """Runs a command under strace, in the environment of a stage."""

    def __init__(self, file):
        self.file = file
        file.touch()
        file.chmod(0o666)  # whoever runs strace writes to it

    def words(self, injections, traced):
        words = ["strace", "-qq", "-y", "-o", str(self.file), "-e", f"trace={traced}"]
        for injection in injections:
            words += ["-e", f"inject={injection}"]
        return words

    def run(self, stage, command, injections=(), traced="all", data="", user=None):
        words = self.words(injections, traced)
        return stage.run(*words, *command, data=data, user=user, timeout=TIMEOUT)

    def forget(self):
        """What former runs did; strace does so only once it has begun."""
        self.file.write_text("")

    def has_seen_a_stop(self):
        """Each call stops its caller, for strace to see; this is the stop of a signal, which lasts."""
        return "--- stopped by SIGSTOP ---" in self.file.read_text(errors="replace")

    def calls(self):
        """What the last run did."""
        counts, found = {}, []
        for line in self.file.read_text(errors="replace").splitlines():
            match = re.match(r"([a-z_0-9]+)\((.*)", line)
            if match and match[1] != "execve":
                counts[match[1]] = counts.get(match[1], 0) + 1
                found.append(Call(match[1], counts[match[1]], match[2]))
        return found
