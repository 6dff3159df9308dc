/*
 * Names in a spool: queues, groups of logs, reply queues, and the directories of queues that are being made or deleted.
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

/* The directory of a log in which its groups are. */
#define NAME_GROUPS "groups"

/* Whether a queue or a group of a log, `LOG/GROUP`, may have this name. */
bool name_is_queue(const char *text);

/* The parts of a valid name: the group, or NULL for a queue; and the log. */
const char *name_group_part(const char *name);
void name_log_part(const char *name, char ret_log[MQ_QUEUE_NAME_SIZE]);
void name_format_group(const char *log, const char *group, char ret_name[MQ_QUEUE_NAME_SIZE]);

/* The way from the directory of a queue or group up to the spool, and down again by its name. */
#define NAME_PATH_SIZE (MQ_QUEUE_NAME_SIZE + sizeof "../../../" "/" NAME_GROUPS)
void name_format_path_up(const char *name, char ret_path[NAME_PATH_SIZE]);

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
