/*
 * Names in a spool: queues, reply queues, and the directories of queues that are being made or deleted.
 *
 *     char text[NAME_PENDING_SIZE];
 *     name_format_pending(NAME_HELD, queue, id_random(), text);
 *     …
 *     if (name_parse_pending(text, &kind, queue)) ...
 *
 * Parsing returns false for any text that formatting cannot have made; `ret_` arguments are untouched then.
 */
#ifndef MQ_SPOOL_NAME_H
#define MQ_SPOOL_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "mq.h"

/* The queue that takes the reply to one request. */
#define NAME_REPLY_SIZE 24
void name_format_reply(uint64_t random, char text[NAME_REPLY_SIZE]);
bool name_is_reply(const char *text);

/* A directory whose name begins with a dot and so is no queue's. */
enum name_pending {
    NAME_NEW,     /* a queue that is being made */
    NAME_GONE,    /* a queue that is being removed */
    NAME_HELD,    /* a queue that a deleter examines: it may hold messages */
    NAME_EMPTIED, /* a queue that was found to be empty, and is being removed */
};
#define NAME_PENDING_SIZE 168
void name_format_pending(enum name_pending kind, const char *queue, uint64_t random, char text[NAME_PENDING_SIZE]);
bool name_parse_pending(const char *text, enum name_pending *ret_kind, char ret_queue[MQ_QUEUE_NAME_SIZE]);

#endif
