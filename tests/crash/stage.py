"""Spools for the walkers: staged once for an operation, then copied for each point of it."""

import shutil
import subprocess

from shared import programs

TIMEOUT = 5  # seconds that a program may take at most, whoever was killed before


class Stage:
    """A spool, and the programs that work on it."""

    def __init__(self, path):
        self.path = path
        self.environment = programs.environment(path)

    def run(self, *command, data=""):
        return subprocess.run(
            command, input=data, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )

    def do(self, *command, data=""):
        """Run what must work, and return what it printed."""
        done = self.run(*command, data=data)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout

    def create(self, queue, *settings):
        self.do("mq-queue", "create", queue, *settings)

    def send(self, body, *options, queue="jobs"):
        self.do("mq-send", "-q", "--no-sync", *options, queue, body)

    def claim(self, *options, queue="jobs"):
        """Claim the next message; return the receipt."""
        return self.do("mq-recv", "--no-wait", *options, queue).split("\n")[0]

    def copy(self, path):
        shutil.copytree(self.path, path, symlinks=True)
        return Stage(path)

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
