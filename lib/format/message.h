/*
 * A message in memory: either one to send, which the mq_message_set_ calls build, or a received one, which decode.c
 * fills. The headers are pairs "Name\0Value\0", one behind the other.
 */
#ifndef MQ_MESSAGE_H
#define MQ_MESSAGE_H

#include "format/name.h"
#include "mq.h"

#define MESSAGE_HEADERS_MAX 65536

struct mq_message {
    char *memory; /* what the headers lie in; NULL: in memory that belongs to the caller */
    char *headers;
    size_t headers_size, headers_room;
    struct message_name name; /* to send: only id, priority and expiry; received: all of it */

    /* to send */
    int64_t died;            /* it is sent as a dead letter, whose reason is in its name; 0: it is not */
    int64_t delay, due, ttl; /* if `due` is not 0, it replaces `delay`; if name.expires is not 0, it replaces `ttl` */
    const void *body;
    int body_fd;        /* the body is read from here; -1: it is `body` */
    uint64_t body_size; /* also when received */

    /* received */
    int file;           /* -1: none */
    uint64_t body_at;   /* where in the file the body begins */
    uint64_t file_size; /* of the whole file, when received */
    uint64_t body_read; /* how much of the body was handed out */
    const char *ahead;  /* the first bytes of the body, which were read together with the headers */
    size_t ahead_size;
    int64_t sent_at;               /* to send: the moment to write as that; 0: now */
    bool has_offset;               /* it is of a group */
    uint64_t offset;               /* in the log */
    char receipt[MQ_RECEIPT_SIZE]; /* empty: the message is not claimed */
};

/* Whether text may be a header's value: a line of UTF-8 without control characters. */
bool message_is_one_line(const char *text, size_t size);

/* Whether text may be a header's name: [A-Za-z0-9-]+. */
bool message_is_header_name(const char *text, size_t size);

/* Read the pair at `at`. Returns the place of the next pair; NULL: `at` is behind the last one. */
const char *message_next_header(const mq_message *message, const char *at, const char **ret_name,
                                const char **ret_value);

#endif
