/*
 * Whose fault an error is: one message's, or that of the disk, the kernel or this process.
 *
 * No error that one message causes may keep anybody from the others. So whoever handles many messages asks here, puts
 * away the one that is to blame, and reports everything else.
 */
#ifndef MQ_BLAME_H
#define MQ_BLAME_H

#include <stdbool.h>
#include <stdint.h>

#include "queue/queue.h"

/*
 * What an error of opening, reading or linking a message's file means. -EBADMSG: this file is of no use (another user
 * may have closed it, or used up its links). -EAGAIN: it is of no use for a while (another user holds a lease on it).
 * Any other error is not the message's, and is returned as it is.
 */
int blame_file(const mq_queue *queue, int dir, const char *file, int error);

/* Whether a body is larger than max-size allows in a queue with an inbox, whose senders need not use these programs.
   Nobody reads such a body: it may be a sparse file of any length. */
bool blame_is_too_large(const mq_queue *queue, uint64_t body_size);

/* Whether a file that could not be moved out of a directory is itself what cannot be moved: an immutable one. */
bool blame_is_stuck(int dir, int error);

#endif
