"""Spools for the walkers: staged once for an operation, then copied for each point of it."""

import os
import shutil
import subprocess

from shared import disk, programs, users

TIMEOUT = 5  # seconds that a program may take at most, whoever was killed before


class Stage:
    """A spool, and the programs that work on it; where its queues are shared one user owns them and one only sends."""

    def __init__(self, path, mode=""):
        self.path, self.mode = path, mode
        self.owner, self.sender = (users.OWNER, users.STRANGER) if mode else (None, None)
        self.environment = programs.environment(path)

    def make(self):
        """The spool itself, where its owner could not."""
        if self.mode:
            self.path.mkdir(mode=0o755)
            os.chown(self.path, self.owner.uid, self.owner.gid)

    def run(self, *command, data="", user=None, timeout=TIMEOUT):
        return subprocess.run(
            command,
            input=data,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            **users.becoming(user or self.owner),
        )

    def do(self, *command, data="", user=None):
        """Run what must work, and return what it printed."""
        done = self.run(*command, data=data, user=user)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def create(self, queue, *settings):
        sharing = (f"--mode={self.mode}", f"--group={users.GROUP}") if self.mode else ()
        self.do("mq-queue", "create", *sharing, queue, *settings)

    def send(self, body, *options, queue="jobs", user=None):
        self.do("mq-send", "-q", "--no-sync", *options, queue, body, user=user)

    def claim(self, *options, queue="jobs"):
        """Claim the next message; return the receipt."""
        return self.do("mq-recv", "--no-wait", *options, queue).split("\n")[0]

    def copy(self, path):
        disk.run("cp", "-a", str(self.path), str(path))  # with the owners
        return Stage(path, self.mode)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
