"""A file system that several hosts share, in namespaces of this machine: GlusterFS, three copies of everything.

    with Bed(hosts=[0, 3, -2]) as bed:          how many seconds each host's clock is ahead
        bed.hosts[1].run("mq-send", "jobs", "hello")
        bed.hosts[1].cut(bed.bricks[0])         from one brick; no argument: from all
        bed.bricks[2].kill()
        …

The bricks are processes with volume files made by hand (glusterfsd -f), each with an address of its own on a bridge. A host
has a mount namespace, with the volume mounted in it, with a machine id and a boot id of its own, and a network namespace, whose
cable leads to that bridge; a program runs in it with its clock. One process heals what bricks have missed.

enter() runs this very script again in namespaces of its own: whatever ends it, nothing of it stays, neither a process nor a
mount nor a file, since all files are in memory that is mounted there.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from shared import programs  # noqa: E402

BRICKS = 3
PATIENCE = 20  # seconds for a brick or a mount to come up
INSIDE = "MQ_TEST_BED"
NETWORK = "10.77.0"
PORT = 24007
NODE = "5b6c1f9e-7f0e-4f6e-9f0a-6b1f0a7e9d11"  # whose bricks the healer heals
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

BRICK = """
volume posix
    type storage/posix
    option directory {directory}
    option glusterd-uuid {node}
end-volume
volume locks
    type features/locks
    subvolumes posix
end-volume
volume threads
    type performance/io-threads
    option thread-count 4
    subvolumes locks
end-volume
volume index
    type features/index
    option index-base {directory}/.glusterfs/indices
    option xattrop-dirty-watchlist trusted.afr.dirty
    option xattrop-pending-watchlist trusted.afr.bed-
    subvolumes threads
end-volume
volume brick
    type protocol/server
    option transport-type tcp
    option transport.socket.bind-address {address}
    option transport.socket.listen-port {port}
    option auth.addr.index.allow *
    subvolumes index
end-volume
"""

CLIENT = """
volume bed-client-{number}
    type protocol/client
    option transport-type tcp
    option remote-host {address}
    option remote-port {port}
    option remote-subvolume index
    option ping-timeout 3
end-volume
"""

COPIES = """
volume copies
    type cluster/replicate
    option afr-pending-xattr {clients_with_commas}
    option quorum-type auto
    option self-heal-daemon on
    option ensure-durability off
    {more}
    subvolumes {clients}
end-volume
"""

# What a volume has by default in front of its copies: the caches that may show what is gone.
CACHES = """
volume {type}
    type performance/{type}
    subvolumes {below}
end-volume
"""


def why_not():
    """Why there can be no test bed here; None: there can."""
    if os.geteuid() != 0:
        return "only root can mount"
    for program, package in (("glusterfsd", "glusterfs-server"), ("glusterfs", "glusterfs-client"), ("ip", "iproute2")):
        if not shutil.which(program):
            return f"{package} is not installed"
    if not FAKETIME:
        return "faketime is not installed"
    if not Path("/dev/fuse").exists():
        return "there is no /dev/fuse"
    probe = "ip link add mq-bed type bridge && mount -t tmpfs tmpfs /mnt"
    words = ("unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "sh", "-c", probe)
    if subprocess.run(words, check=False, capture_output=True).returncode != 0:
        return "namespaces, bridges or mounts are not to be had"
    return None


def enter():
    """Return in namespaces of our own."""
    reason = why_not()
    if reason:
        print(f"no hosts: {reason}")
        sys.exit(69)
    if os.environ.get(INSIDE) == "1":
        return
    words = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv)
    os.execvpe("unshare", words, {**os.environ, INSIDE: "1"})


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def wait_for(what, is_so, patience=PATIENCE):
    end = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come within {patience} seconds")
        time.sleep(0.02)


class Brick:
    def __init__(self, bed, number):
        self.number, self.address = number, f"{NETWORK}.{11 + number}"
        self.directory, self.log = bed.place / f"brick-{number}", bed.place / f"brick-{number}.log"
        self.file = bed.place / f"brick-{number}.vol"
        (self.directory / ".glusterfs").mkdir(parents=True)
        self.file.write_text(BRICK.format(node=NODE, directory=self.directory, address=self.address, port=PORT))
        run("ip", "address", "add", f"{self.address}/24", "dev", "bridge")
        self.process = None

    def start(self):
        words = ("glusterfsd", "-N", "-f", str(self.file), "-L", "WARNING", "-l", str(self.log), "-p", f"{self.file}.pid")
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("a brick", self.answers)

    def answers(self):
        try:
            socket.create_connection((self.address, PORT), timeout=1).close()
            return True
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)


class Host:
    def __init__(self, bed, number, ahead):
        self.bed, self.number, self.ahead = bed, number, ahead
        self.machine_id, self.log = uuid.uuid4().hex, bed.place / f"host-{number}.log"
        self.address = f"{NETWORK}.{101 + number}"
        self.holder = self.client = None
        self.keeper = os.getpid()
        self.pid_file = bed.place / f"host-{number}.pid"  # for other processes that run programs on it

    # ---- its life ----

    def boot(self):
        """A new boot: other namespaces, another boot id; the same machine."""
        self.holder = subprocess.Popen(("unshare", "--mount", "--net", "sleep", "infinity"))
        pid = self.holder.pid
        wait_for("a host", lambda: Path(f"/proc/{pid}/cmdline").read_text().startswith("sleep"))
        cable = f"cable-{self.number}"
        subprocess.run(("ip", "link", "delete", cable), check=False, capture_output=True)
        run("ip", "link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", str(pid))
        run("ip", "link", "set", cable, "master", "bridge", "up")
        machine, boot = self.bed.place / f"machine-{self.number}", self.bed.place / f"boot-{self.number}"
        machine.write_text(f"{self.machine_id}\n")
        boot.write_text(f"{uuid.uuid4()}\n")
        self.run("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("mount", "--bind", str(machine), "/etc/machine-id")
        self.run("mount", "--bind", str(boot), "/proc/sys/kernel/random/boot_id")
        self.mount()

    def mount(self):
        self.client = self.mount_at(self.bed.mount)
        self.pid_file.write_text(str(self.holder.pid))

    def mount_again(self, where):
        """The same file system once more, as a container does that has the host's machine id."""
        where.mkdir()
        self.mount_at(where)

    def mount_at(self, where):
        words = ("glusterfs", "-N", "-f", str(self.bed.volume), "-L", "WARNING", "-l", str(self.log), "-p", f"{self.log}.{where.name}.pid", str(where))
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        client = subprocess.Popen(words, preexec_fn=self.enter, env={**os.environ, **self.clock()}, **silent)
        test = ("sh", "-c", f"mountpoint -q {where} && test -w {where} && touch {where}/.host-{self.number}")
        wait_for("a mount", lambda: self.run(*test, check=False).returncode == 0)
        return client

    def members(self):
        """The processes of this host."""
        mine, found = os.readlink(f"/proc/{self.holder.pid}/ns/mnt"), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(process / "ns/mnt") == mine and int(process.name) != self.holder.pid:
                    found.append(int(process.name))
            except OSError:
                pass
        return found

    def signal(self, number):
        for pid in self.members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        self.signal(signal.SIGSTOP)

    def go_on(self):
        self.signal(signal.SIGCONT)

    def kill(self):
        """As a power cut does it."""
        self.pid_file.unlink()
        self.stop()
        self.signal(signal.SIGKILL)
        self.client.wait()
        self.holder.kill()
        self.holder.wait()

    # ---- its network ----

    def cut(self, *bricks):
        """From these bricks, or from all at one moment, by pulling the cable: what is sent there vanishes."""
        if not bricks:
            run("ip", "link", "set", f"cable-{self.number}", "nomaster")
        for brick in bricks:
            self.run("ip", "route", "replace", "blackhole", brick.address)

    def mend(self):
        run("ip", "link", "set", f"cable-{self.number}", "master", "bridge")
        for brick in self.bed.bricks:
            self.run("ip", "route", "delete", "blackhole", brick.address, check=False)

    # ---- what runs on it ----

    def enter(self):
        """In a child, before it runs its program. Other processes than the one that boots it wait for the mount: without it
        the programs would make a spool in the empty directory."""
        libc = ctypes.CDLL(None, use_errno=True)
        pid = self.holder.pid if os.getppid() == self.keeper else self.pid_file.read_text()
        for kind, flag in (("net", CLONE_NEWNET), ("mnt", CLONE_NEWNS)):
            with open(f"{self.bed.processes}/{pid}/ns/{kind}", "rb") as file:
                if libc.setns(file.fileno(), flag) != 0:
                    raise OSError(ctypes.get_errno(), "setns")

    def clock(self):
        facts = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": f"{self.ahead:+f}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        facts |= {"NO_FAKE_STAT": "1", "FAKETIME_DISABLE_SHM": "1"}
        return facts if self.ahead else {}

    def facts(self, spool=None):
        """What subprocess is to be told so that a program runs here. Those that are linked dynamically have its clock."""
        environment = {**programs.environment(spool or self.bed.spool), **self.clock()}
        environment["PATH"] = f"{programs.BUILD}/dynamic:{environment['PATH']}" if self.ahead else environment["PATH"]
        return {"env": environment, "preexec_fn": self.enter}

    def run(self, *words, check=True, **more):
        facts = self.facts() | {"capture_output": True, "text": True} | more
        done = subprocess.run(words, check=False, **facts)
        if check and done.returncode != 0:
            raise RuntimeError(f"host {self.number}: {words}: {done.returncode}: {done.stderr}")
        return done

    def start(self, *words, **more):
        facts = self.facts() | {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | more
        return subprocess.Popen(words, **facts)


class Bed:
    def __init__(self, hosts):
        self.place = Path("/mnt")
        run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(self.place))
        run("mount", "--make-rprivate", "/")
        self.mount, self.processes = self.place / "shared", self.place / "proc"
        self.volume, self.spool = self.place / "client.vol", self.mount / "spool"
        self.mount.mkdir()
        self.processes.mkdir()
        run("mount", "--bind", "/proc", str(self.processes))
        run("ip", "link", "set", "lo", "up")
        # An address of its own: else it has that of one of its cables, and all hosts lose the servers when that one is pulled.
        run("ip", "link", "add", "bridge", "address", "02:00:00:00:00:01", "type", "bridge")
        run("ip", "address", "add", f"{NETWORK}.1/24", "dev", "bridge")
        run("ip", "link", "set", "bridge", "up")
        self.bricks = [Brick(self, number) for number in range(BRICKS)]
        self.hosts = [Host(self, number, ahead) for number, ahead in enumerate(hosts)]
        self.healer = None
        self.volume.write_text(self.clients() + self.copies("") + self.caches())
        self.healing = self.place / "healer.vol"
        options = ("iam-self-heal-daemon yes", "heal-timeout 5", f"node-uuid {NODE}", "background-self-heal-count 0")
        options += tuple(f"{what}-self-heal on" for what in ("metadata", "data", "entry"))
        more = "\n    ".join(f"option {option}" for option in options)
        self.healing.write_text(self.clients() + self.copies(more))

    def clients(self):
        facts = ({"number": brick.number, "address": brick.address, "port": PORT} for brick in self.bricks)
        return "".join(CLIENT.format(**fact) for fact in facts)

    def copies(self, more):
        names = [f"bed-client-{brick.number}" for brick in self.bricks]
        return COPIES.format(clients=" ".join(names), clients_with_commas=",".join(names), more=more)

    def caches(self):
        text, below = "", "copies"
        for kind in ("write-behind", "open-behind", "quick-read", "md-cache"):
            text += CACHES.format(type=kind, below=below)
            below = kind
        return text

    def start_healer(self):
        words = ("glusterfs", "-N", "-f", str(self.healing), "-l", str(self.place / "healer.log"))
        words += ("-p", str(self.place / "healer.pid"), "--process-name", "glustershd")
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.healer = subprocess.Popen(words, **silent)

    def wounds(self):
        """How much waits to be healed on the bricks."""
        found = 0
        for brick in self.bricks:
            for kind in ("xattrop", "dirty"):
                names = (brick.directory / ".glusterfs/indices" / kind).glob("*")
                found += sum(not name.name.startswith(kind) for name in names)
        return found

    def losses(self):
        """How often a host took a server for gone since it did not answer for some seconds, as a busy machine's may not."""
        return sum(host.log.read_text(errors="replace").count("has not responded in the last") for host in self.hosts)

    def __enter__(self):
        for brick in self.bricks:
            brick.start()
        self.start_healer()
        for host in self.hosts:
            host.boot()
        return self

    def __exit__(self, *error):
        pass  # the namespaces end with this process, and all that is in them


def main():
    """Try it: a command on a bed."""
    enter()
    with Bed([0, 3]) as bed:
        print(json.dumps({"hosts": [host.address for host in bed.hosts]}), flush=True)
        for host in bed.hosts:
            print(host.run(*sys.argv[1:], check=False))


if __name__ == "__main__":
    main()
