/*
 * Decoding: a message from the bytes of its file. encode.h does the reverse.
 *
 * Errors. -EBADMSG: the bytes are not a whole message. A call that fails leaves its results untouched.
 */
#ifndef MQ_DECODE_H
#define MQ_DECODE_H

#include "format/message.h"

/*
 * Read the headers of the one message that `name` stands for. -EBADMSG: it is not a whole message with that id, or no
 * regular file. The new message owns the descriptor; on failure the caller keeps it.
 */
int decode_file(int file, const struct message_name *name, mq_message **ret_message);

/*
 * Let `message` show the message that begins at `text`, of which `size` bytes are there. Returns its length in bytes;
 * 0: it is malformed, not whole, or has no Content-Length. Nothing is copied: the header lines are taken apart in
 * place, and the text must outlive `message`. `message` is a new one, or one that was used here before. Of its name
 * only the id is set.
 */
size_t decode_text(char *text, size_t size, mq_message *message);

/* The id and the two sizes of the message whose headers begin at `text`. -EBADMSG: the headers are not whole, or are
   malformed. */
int decode_extent(char *text, size_t size, char ret_id[MQ_ID_SIZE], size_t *ret_headers_size, uint64_t *ret_body_size);

#endif
