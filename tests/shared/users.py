"""Users that share queues. They are numbers, which need no names; only root can be several of them."""

import os
from typing import NamedTuple


class User(NamedTuple):
    uid: int
    gid: int
    groups: tuple = ()


GROUP = 64010  # with which queues are shared
OWNER = User(64001, 64020, (GROUP,))
MEMBER = User(64002, 64020, (GROUP,))
STRANGER = User(64003, 64020)


def why_not():
    """Why there cannot be several here; None: there can."""
    return None if os.geteuid() == 0 else "only root can be several users"


def becoming(user):
    """What subprocess is to be told, so that a program is run by a user; None: by whoever runs this."""
    return {"user": user.uid, "group": user.gid, "extra_groups": user.groups} if user else {}


def become(user):
    """For good. What a process runs then starts sooner than what subprocess starts as another user."""
    if user:
        os.setgroups(user.groups)
        os.setgid(user.gid)
        os.setuid(user.uid)
