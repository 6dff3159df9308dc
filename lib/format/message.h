/*
 * A message in memory: one to send, built by the mq_message_set_ calls, or one received, as decode.c fills it.
 * Headers are kept as "Name\0Value\0" pairs, one behind the other.
 */
#ifndef MQ_MESSAGE_H
#define MQ_MESSAGE_H

#include "format/name.h"
#include "mq.h"

#define MESSAGE_HEADERS_MAX 65536

struct mq_message {
    char *memory; /* what the headers lie in; NULL: in somebody else's */
    char *headers;
    size_t headers_size, headers_room;
    struct message_name name; /* id and priority; when received all of it */

    /* to send */
    int64_t delay, due, ttl; /* due instead of delay and expires (name.expires) instead of ttl where not 0 */
    const void *body;
    int body_fd;        /* -1: `body` */
    uint64_t body_size; /* also when received */

    /* received */
    int file;           /* -1: none */
    uint64_t body_at;   /* where in the file the body begins */
    uint64_t body_read; /* how much of the body was handed out */
    const char *ahead;  /* the body's first bytes, which came along with the headers */
    size_t ahead_size;
    int64_t sent_at;
    char receipt[MQ_RECEIPT_SIZE]; /* empty where it is not claimed */
};

/* Whether text may be a header's value: a line of UTF-8 without control characters. */
bool message_is_one_line(const char *text, size_t size);

/* Whether text may be a header's name: [A-Za-z0-9-]+. */
bool message_is_header_name(const char *text, size_t size);

/* The pair at `at`; the place of the next one, or NULL past the last. */
const char *message_next_header(const mq_message *message, const char *at, const char **ret_name,
                                const char **ret_value);

#endif
