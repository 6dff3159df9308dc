/* Bodies that are too much for the memory, or the TMPDIR, at hand. */
#ifndef BURDEN_H
#define BURDEN_H

#include <mq.h>
#include <stdbool.h>

/*
 * Whether this message's body is to blame for an error of reading or keeping it: somebody cuts it short meanwhile, or
 * it is so large that there is no room for it, though there is some. Then an attempt of it has failed; whoever gave it
 * back would have it again at once. Where there is no room for anything no message is to blame.
 */
bool oversize_is_to_blame(int error, const mq_message *message);

/* How an attempt fails of that: for people. */
const char *oversize_reason(int error);

/* Whether so much memory can be there at all: 0 or -ENOMEM. The kernel would promise it, and kill us as we use it. */
int oversize_expect_memory(uint64_t size);

/* Whether a file system has so much room now: 0 or -ENOSPC. */
int oversize_expect_room(int file, uint64_t size);

#endif
