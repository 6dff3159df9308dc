/*
 * What is inside a message's file: header lines, a blank line, the body.
 *
 * struct mq_message is both a message to send (built by the mq_message_set_ calls) and one received
 * (filled by message_load). Headers are kept as "Name\0Value\0" pairs, one behind the other.
 */
#ifndef MQ_MESSAGE_H
#define MQ_MESSAGE_H

#include "mq.h"
#include "name.h"

#define MESSAGE_HEADERS_MAX 65536

struct mq_message {
    char *headers;
    size_t headers_size, headers_room;
    struct name name; /* id and priority; when received all of it */

    /* to send */
    int64_t delay, due, ttl; /* due instead of delay and expires (name.expires) instead of ttl where not 0 */
    const void *body;
    int body_fd;        /* -1: `body` */
    uint64_t body_size; /* also when received */

    /* received */
    int file;           /* -1: none */
    uint64_t body_read; /* how much of the body was handed out */
    char *ahead;        /* the body's first bytes, which came along with the headers */
    size_t ahead_size;
    int64_t sent_at;
    char receipt[MQ_RECEIPT_SIZE]; /* empty where it is not claimed */
};

/* Write the file's content: headers of the library's own, the sender's, the body. -EMSGSIZE where the body is
   larger than `max_size`; the file's size in `ret_size`. */
int message_write(const mq_message *message, const struct name *name, int64_t sent_at, uint64_t max_size, int file,
                  uint64_t *ret_size);

/*
 * Read the headers of a message's file. -EBADMSG: it is not a whole message with the id that its
 * name says. The new message owns the file then; on failure it stays the caller's.
 */
int message_load(int file, const struct name *name, mq_message **ret_message);

#endif
