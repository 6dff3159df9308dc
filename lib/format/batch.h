/*
 * Batches: several messages in one file, one behind the other. Either each message has headers of its own, which say
 * how long its body is, or all messages share one block of headers (shared_headers.h).
 *
 * The name of a file says which of its messages it stands for (name.h). This module finds where a message ends and the
 * next one begins.
 *
 *     error = batch_read_part(file, name.offset, name.id, &part);
 *     first = batch_first(&name, &part);               the first message, with a name of its own
 *     …
 *     error = batch_walk(file, &name, each, context);  or all messages
 */
#ifndef MQ_BATCH_H
#define MQ_BATCH_H

#include "format/name.h"

/* Where one message lies. */
struct batch_part {
    char id[MQ_ID_SIZE];
    uint32_t offset, length;
};

/* Find the end of the message that begins at `offset`. If it shares its headers, its id is `id`; else the id is read.
   -EBADMSG: it is malformed, or reaches beyond the end of the file. */
int batch_read_part(int file, uint64_t offset, const char *id, struct batch_part *ret_part);

/* The id of the message that lies `steps` places behind the message `id`, if the two share their headers. If they do
   not, the result means nothing. */
void batch_step_id(const char *id, int64_t steps, char ret_id[MQ_ID_SIZE]);

/* A name for the first message that `name` stands for. It says no length that `name` does not say, if that is its only
   message. */
struct message_name batch_first(const struct message_name *name, const struct batch_part *first);

/* A name for the other messages. The first of them is `next`. */
struct message_name batch_rest(const struct message_name *name, const struct batch_part *next);

/* Call `each` for each message that `name` stands for, with a name for that message alone. If `each` returns non-zero,
   the walk ends and returns that. -EBADMSG: a message is malformed, or there are fewer than `name` says. */
int batch_walk(int file, const struct message_name *name, int (*each)(void *context, const struct message_name *one),
               void *context);

#endif
