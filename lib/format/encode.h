/*
 * Encoding: a message to the bytes of its file, which are the library's own header lines, the sender's, a blank line
 * and the body. decode.h does the reverse.
 *
 * The caller allocates the room that encode_room or encode_shared_room asks for. `sent_at` is a moment as text;
 * `expires` is 0 if the message never expires.
 */
#ifndef MQ_ENCODE_H
#define MQ_ENCODE_H

#include "format/message.h"

/* The room that a message may need whose body is in memory. */
size_t encode_room(const mq_message *message);

/* Write such a message to `to`. Returns the end of what was written. */
char *encode_message(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char *to);

/*
 * Write the headers that messages share (shared_headers.h): those of `message`, with the id of the first message.
 * Returns the end of what was written. The caller puts the bodies behind it, each with `separator` at its end, and then
 * calls encode_shared_length, which writes their length into the space that was left for it.
 */
size_t encode_shared_room(const mq_message *message);
char *encode_shared(const mq_message *message, const char *id, int64_t expires, const char *sent_at, char separator,
                    char *to);
void encode_shared_length(char *end_of_headers, uint64_t length);

/* Write any message to a file. `ret_size` gets the size of the file. -EMSGSIZE: the body is larger than `max_size`. */
int encode_to_file(const mq_message *message, const struct message_name *name, int64_t sent_at, uint64_t max_size,
                   int file, uint64_t *ret_size);

/* Replace the id in such a file by one of the same length. */
int encode_set_id(int file, const char *id);

#endif
