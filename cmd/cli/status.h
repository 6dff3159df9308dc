/* Exit statuses of all programs; mq(7) has the same table. */
#ifndef STATUS_H
#define STATUS_H

enum status {
    STATUS_DONE = 0,
    STATUS_NOTHING = 1, /* empty, timed out, no match, or a claim that has ended */
    STATUS_USAGE = 64,
    STATUS_DATA = 65,
    STATUS_NO_QUEUE = 66,
    STATUS_UNAVAILABLE = 69, /* cannot work here: a read-only spool, a kernel that lacks something */
    STATUS_UNSAFE = 71,      /* it is done, but a sync failed: a loss of power may undo it */
    STATUS_CANNOT_CREATE = 73,
    STATUS_IO = 74,
    STATUS_TRY_LATER = 75, /* a full queue, a full disk */
    STATUS_PERMISSION = 77,
    STATUS_CONFIG = 78,
    STATUS_FAILED = 123,     /* some command failed; as xargs */
    STATUS_CANNOT_RUN = 126, /* the command is there, and cannot be run */
    STATUS_NO_COMMAND = 127, /* there is no such command */
};

#endif
