/*
 * Batches: several messages in one file, one behind the other, each with headers that say how long its body is, or with
 * headers that they share (shared.h).
 *
 * Names say which of them they stand for (name.h); here is where one ends and the next begins.
 */
#ifndef MQ_BATCH_H
#define MQ_BATCH_H

#include "format/name.h"

/* Where one message lies. */
struct batch_part {
    char id[MQ_ID_SIZE];
    uint32_t offset, length;
};

/* The message that begins at `offset`, whose id is `id` where it shares its headers. -EBADMSG: it is malformed, or
   reaches beyond the end of the file. */
int batch_read_part(int file, uint64_t offset, const char *id, struct batch_part *ret_part);

/* The id of the message so many places behind that one in the file, if it shares its headers; else anything. */
void batch_step_id(const char *id, int64_t steps, char ret_id[MQ_ID_SIZE]);

/* The first message of those that `name` stands for, as a name of its own; as short as can be where it is all. */
struct message_name batch_first(const struct message_name *name, const struct batch_part *first);

/* The others, the first of which is `next`. */
struct message_name batch_rest(const struct message_name *name, const struct batch_part *next);

/* Call `each` for each message that `name` stands for, with a name of its own. Its non-zero return ends the walk and
   is returned; -EBADMSG: they are malformed, or not as many. */
int batch_walk(int file, const struct message_name *name, int (*each)(void *context, const struct message_name *one),
               void *context);

#endif
