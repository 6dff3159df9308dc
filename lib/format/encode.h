/*
 * A message as the bytes of its file: header lines of the library's own, the sender's, a blank line, the body.
 */
#ifndef MQ_ENCODE_H
#define MQ_ENCODE_H

#include "format/message.h"

/* Room that a message with its body in memory may need. */
size_t encode_room(const mq_message *message);

/* Write such a message to `to`, which has that room; it expires at `expires`, 0: never; `sent_at` is a moment as text.
   The end of what was written. */
char *encode_message(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char *to);

/*
 * Headers that messages share (shared.h), as `message` has them, for bodies ended by `separator`, the first of which has
 * the id. The end of what was written, behind which the bodies come; once they are there, how long they are is written
 * to the space left for it.
 */
size_t encode_shared_room(const mq_message *message);
char *encode_shared(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char separator,
                    char *to);
void encode_shared_length(char *end_of_headers, uint64_t length);

/* Write any message to a file. -EMSGSIZE where the body is larger than `max_size`; the file's size in `ret_size`. */
int encode_to_file(const mq_message *message, const struct message_name *name, int64_t sent_at, uint64_t max_size,
                   int file, uint64_t *ret_size);

/* Replace the id in such a file by one of the same length. */
int encode_set_id(int file, const char *id);

#endif
