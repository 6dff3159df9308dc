/*
 * A message out of the bytes of its file.
 */
#ifndef MQ_DECODE_H
#define MQ_DECODE_H

#include "format/message.h"

/*
 * Read the headers of the one message that `name` stands for. -EBADMSG: it is not a whole message with that id.
 * The new message owns the file then; on failure it stays the caller's.
 */
int decode_file(int file, const struct message_name *name, mq_message **ret_message);

/*
 * The message that begins at `text`, of which `size` bytes are there: how many it is, 0 where it is malformed or
 * not whole. Its length must be said. `message`, a new one or one used here before, shows it, without a copy and
 * without its name but for the id: header lines are taken apart in place, and the text must outlive it.
 */
size_t decode_text(char *text, size_t size, mq_message *message);

/* As much of it as tells where it ends: headers that begin at `text`. -EBADMSG: they are not whole, or malformed. */
int decode_extent(char *text, size_t size, char ret_id[MQ_ID_SIZE], size_t *ret_headers_size, uint64_t *ret_body_size);

#endif
