/*
 * The seam between the library and the C library.
 *
 * Whoever is linked with seam.c (and --wrap for each call that it names) can have any of these calls fail, or have
 * something happen right before it. They are counted only between seam_open and seam_close, and not while `strike`
 * runs.
 *
 *     seam_open(&(struct seam){.faults = SEAM_NO_ROOM, .nth = 3});
 *     error = mq_send(...);
 *     struck = seam_close();
 *
 * Nothing here asks a disk: a sync that does not fail does nothing, and a pause without descriptors takes no time.
 */
#ifndef SEAM_H
#define SEAM_H

#include <stdbool.h>

/* What may go wrong, each with the calls that it can happen to. */
enum {
    SEAM_NO_MEMORY = 1 << 0,
    SEAM_NO_ROOM = 1 << 1,        /* ENOSPC: whatever makes or fills a file */
    SEAM_NO_DESCRIPTORS = 1 << 2, /* EMFILE: whatever opens one */
    SEAM_NO_RIGHTS = 1 << 3,      /* EACCES: whatever goes by a name */
    SEAM_BROKEN = 1 << 4,         /* EIO: all of the file system */
    SEAM_SIGNAL = 1 << 5,         /* EINTR: what may take long */
    SEAM_SHORT = 1 << 6,          /* no failure: a byte is read or written, and not all */
    SEAM_LOST_ANSWER = 1 << 7,    /* ENOENT from a rename that was done, as network file systems give it */
    SEAM_FAULTS = 8
};

/* What a file system or a kernel may lack. */
enum {
    SEAM_WITHOUT_TMPFILE = 1 << 0,
    SEAM_WITHOUT_NOREPLACE = 1 << 1,
    SEAM_WITHOUT_OPENAT2 = 1 << 2,
    SEAM_WITHOUT_EMPTY_PATH = 1 << 3, /* linkat by descriptor */
    SEAM_WITHOUT_TYPES = 1 << 4,      /* in directories */
    SEAM_WITHOUT_INOTIFY = 1 << 5,
    SEAM_ON_NETWORK = 1 << 6,      /* as statfs tells */
    SEAM_WITHOUT_ORDER = 1 << 7,   /* nor is there one journal for all; without this there is */
    SEAM_WITHOUT_RANGES = 1 << 8,  /* sync_file_range */
    SEAM_WITHOUT_PROC = 1 << 9,    /* for linkat */
    SEAM_WITHOUT_RANDOM = 1 << 10, /* getrandom */
    SEAM_ON_COPIES = 1 << 11       /* on a network, and several servers have copies */
};

struct seam {
    unsigned faults; /* of these, the `nth` call that one can happen to, counted from 1; 0: none */
    unsigned nth;
    bool lasting;                  /* all of the calls after it, too */
    void (*strike)(void *context); /* instead of failing, this happens before the call */
    void *context;
};

void seam_open(const struct seam *seam);

/* Whether it came to the `nth` call. */
bool seam_close(void);

/* From now on; 0: everything is there. */
void seam_do_without(unsigned features);

/* The clocks show so many seconds more than it is, from now on, and so do files that are made. */
void seam_pass(long seconds);

/* This host's wall clock is ahead by so many seconds, from now on. Files and waits go by the right time. */
void seam_skew(long seconds);

/* This host was stopped from outside for so many seconds: its clocks know nothing of them, files that are made do. */
void seam_freeze(long seconds);

/* How many pieces of memory are in use. */
long seam_memory(void);

#endif
