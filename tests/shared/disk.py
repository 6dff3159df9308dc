"""File systems of their own for tests: images on loop devices, which only root can mount."""

import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

UNMOUNTED_WITHIN = 20  # seconds
SIZE = 400 << 20  # mkfs.xfs wants 300 MiB at least
MAKE = {
    "ext4": ["mkfs.ext4", "-q", "-b", "4096"],
    "xfs": ["mkfs.xfs", "-q", "-s", "size=4096", "-m", "reflink=1"],
    "btrfs": ["mkfs.btrfs", "-q"],
}


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def why_not(kind):
    """Why such a file system cannot be made here; None: it can."""
    if os.geteuid() != 0:
        return "only root can mount"
    if kind == "tmpfs":
        return None
    if not shutil.which(MAKE[kind][0]):
        return f"{MAKE[kind][0]} is not installed"
    try:
        run("losetup", "--find")
    except (OSError, subprocess.CalledProcessError):
        return "no loop devices are to be had"
    return None


def format_image(kind, image, size=SIZE):
    with open(image, "wb") as file:
        file.truncate(size)
    run(*MAKE[kind], str(image))


def unmount(place):
    """The kernel may take a moment to let go of a file system in it that was unmounted, and of its loop device."""
    end = time.monotonic() + UNMOUNTED_WITHIN
    while subprocess.run(["umount", str(place)], check=False, capture_output=True).returncode != 0:
        if time.monotonic() > end:
            run("umount", str(place))
            return
        time.sleep(0.05)


@contextmanager
def mounted(image, place, options="noatime", direct="on"):
    """Mount an image. With direct I/O what the file system wrote is in the image when it is told so."""
    place.mkdir(exist_ok=True)
    device = run("losetup", "--find", "--show", f"--direct-io={direct}", str(image))
    try:
        run("mount", "-o", options, device, str(place))
    finally:
        run("losetup", "--detach", device)  # as soon as nothing is mounted from it
    try:
        yield place
    finally:
        unmount(place)


@contextmanager
def fresh(kind, place):
    """A new file system of a kind, mounted."""
    place.mkdir(exist_ok=True)
    if kind == "tmpfs":
        run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place))
        try:
            yield place
        finally:
            unmount(place)
        return
    image = place.with_name(f"{place.name}.image")
    format_image(kind, image)
    with mounted(image, place):
        yield place


@contextmanager
def scratch():
    """A directory for images and spools: in memory, where there is room."""
    memory = Path("/dev/shm")
    roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 8 * SIZE
    with tempfile.TemporaryDirectory(prefix="mq-disk.", dir=memory if roomy else None) as place:
        os.chmod(place, 0o755)  # spools in it may be shared
        yield Path(place)
