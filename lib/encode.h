/*
 * A message as the bytes of its file: header lines of the library's own, the sender's, a blank line, the body.
 */
#ifndef MQ_ENCODE_H
#define MQ_ENCODE_H

#include "message.h"

/* Room that a message with its body in memory may need. */
size_t encode_room(const mq_message *message);

/* Write such a message to `to`, which has that room; it expires at `expires`, 0: never; `sent_at` is a moment as text.
   The end of what was written. */
char *encode_message(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char *to);

/* Write any message to a file. -EMSGSIZE where the body is larger than `max_size`; the file's size in `ret_size`. */
int encode_to_file(const mq_message *message, const struct name *name, int64_t sent_at, uint64_t max_size, int file,
                   uint64_t *ret_size);

#endif
