/*
 * File systems that several hosts share: which they are, and what became of a call whose answer may be wrong. fs_hosts.h has
 * more of them.
 *
 * The answer to a call may get lost on the way. The client asks again, and the second answer is about the second try: a
 * rename that was done reports that the source is missing, a link that the name is taken. The calls of fs.h and
 * fs_draft.h that look again use these functions. They do so after a failure only, so that success costs nothing.
 *
 * An error is a negative errno value.
 */
#ifndef MQ_FS_NETWORK_H
#define MQ_FS_NETWORK_H

#include <stdbool.h>

/* Whether the file system may be shared between hosts: then inotify does not report what other hosts do, a lock on a
   directory does not reach them, and their clocks are not this host's. 1 or 0, or a negative errno if that cannot be
   known: then nothing is to be done that is right on one host only. */
int fs_is_network(int dir);

/* The same in two steps, for those who also ask journal.h about the type, so that one call does for both. No type is 0. */
int fs_find_type(int file, unsigned long *ret_type);
bool fs_type_is_network(unsigned long type);

/* Whether what became of a call that failed may be looked at, since one server has done it or not. Where the copies of several
   servers make up the file system a look may show what was done to one copy, which this host alone could reach, and which does
   not count: there the answer is believed. False also if this cannot be known. */
bool fs_repeats_calls(int dir);

/* Whether a call that failed with this error may have been done nevertheless. */
bool fs_is_doubtful(int error);

/* Whether the name belongs to the open file, or to the file that has the other name. False also if this cannot be known. */
bool fs_has_this_name(int file, int dir, const char *name);
bool fs_have_one_file(int at, const char *name, int dir, const char *other);

#endif
