/*
 * Blame: whether an error is the fault of one message, or of the disk, the kernel or this process.
 *
 *     file = fs_open_file(dir, name);
 *     if (file < 0)
 *         error = blame_file(queue, dir, name, file);      -EBADMSG, -EAGAIN: put the message away and go on
 *
 * One message must never keep a receiver from the others. So code that handles many messages asks here, puts away the
 * message that is to blame, and reports every other error.
 */
#ifndef MQ_BLAME_H
#define MQ_BLAME_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/queue.h"

/*
 * What an error of opening, reading or linking a message's file means. -EBADMSG: the file cannot be used (another user
 * may have taken away the permission, or used up its links). -EAGAIN: it cannot be used now (another user holds a lease
 * on it). Any other error is not the message's fault and is returned as it is.
 */
int blame_file(const mq_queue *queue, int dir, const char *file, int error);

/* Whether a body is larger than max-size allows in a queue with an inbox, whose senders need not use these programs.
   Nobody reads such a body: it may be a sparse file of any length. */
bool blame_is_too_large(const mq_queue *queue, uint64_t body_size);

/* Whether a file could not be moved out of a directory because of the file itself: it is immutable. */
bool blame_is_stuck(int dir, int error);

/* For a walk that goes on after an error and reports it at the end: keep the first error in `first_error`, which is 0 at
   the beginning. No error are -ENOENT, since another process was first, and what this process has no right to. */
void blame_note(int error, int *first_error);

#endif
