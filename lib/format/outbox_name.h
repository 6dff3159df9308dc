/*
 * The grammar of names in a spool's .outbox/; no I/O. Nothing else knows it.
 *
 *     DEADLINE.TX      an open transaction: 13 and 16 hexadecimal digits
 *     TX.committed     one that is to be carried out
 *     TX.aborted       one that is to be undone
 *
 * In its directory an entry is one of
 *
 *     o:QUEUE:NAME     a message for QUEUE; NAME as in delayed/, its position a number that grows with each entry
 *     O:QUEUE:NAME     the same, to be on the disk before the commit is reported
 *     l:LOG:NAME:END   a message for LOG; NAME as in delayed/, its position the number; an offset that the log had
 *                      reached when it was put in, 16 hexadecimal digits
 *     L:LOG:NAME:END   the same, to be on the disk before the commit is reported
 *     i:QUEUE:NAME     a claim that was taken; NAME as in delayed/, its time when the claim began
 *     d:QUEUE:NAME     the same, whose id is to be remembered when it is acked
 *     x:QUEUE:NAME     a dead letter that goes on; NAME as in dead/, without its reason if there is no room for it
 *     p:NUMBER         what is to become a file's content; 16 hexadecimal digits
 *     t:NUMBER         a symbolic link to where that file belongs
 */
#ifndef MQ_OUTBOX_NAME_H
#define MQ_OUTBOX_NAME_H

#include "format/name.h"

#define OUTBOX ".outbox"
#define OUTBOX_NAME_SIZE 32 /* of a transaction's directory and its NUL */

enum outbox_state { OUTBOX_OPEN, OUTBOX_COMMITTED, OUTBOX_ABORTED };

/* Whether text is a transaction's id: 16 hexadecimal digits, lower case. */
bool outbox_is_id(const char *text);
void outbox_format_id(uint64_t random, char ret_id[MQ_TX_SIZE]);

/* The name of a transaction's directory; the deadline is that of an open one. */
void outbox_format(enum outbox_state state, const char *id, int64_t deadline, char ret_name[OUTBOX_NAME_SIZE]);
bool outbox_parse(const char *text, enum outbox_state *ret_state, char ret_id[MQ_TX_SIZE], int64_t *ret_deadline);

enum outbox_kind {
    OUTBOX_OUTPUT,
    OUTBOX_DURABLE_OUTPUT,
    OUTBOX_LOG_OUTPUT,
    OUTBOX_DURABLE_LOG_OUTPUT,
    OUTBOX_INPUT,
    OUTBOX_INPUT_ONCE,
    OUTBOX_DEAD,
    OUTBOX_FILE,
    OUTBOX_TARGET
};

struct outbox_entry {
    enum outbox_kind kind;
    char queue[MQ_QUEUE_NAME_SIZE]; /* of messages: the queue, or the log */
    struct message_name name;       /* of messages */
    uint64_t number;                /* of files */
    uint64_t end;                   /* of messages for logs */
};

/* Write an entry's name. -ENAMETOOLONG: there is no room for a claim with so long a queue's name, id and fields. */
int outbox_format_entry(const struct outbox_entry *entry, char ret_text[NAME_SIZE]);
bool outbox_parse_entry(const char *text, struct outbox_entry *ret_entry);

static inline bool outbox_is_for_log(enum outbox_kind kind)
{
    return kind == OUTBOX_LOG_OUTPUT || kind == OUTBOX_DURABLE_LOG_OUTPUT;
}

static inline bool outbox_is_output(enum outbox_kind kind)
{
    return kind == OUTBOX_OUTPUT || kind == OUTBOX_DURABLE_OUTPUT || outbox_is_for_log(kind);
}

/* Whether it is to be on the disk before the commit is reported. */
static inline bool outbox_is_durable(enum outbox_kind kind)
{
    return kind == OUTBOX_DURABLE_OUTPUT || kind == OUTBOX_DURABLE_LOG_OUTPUT || kind == OUTBOX_FILE;
}

static inline bool outbox_is_input(enum outbox_kind kind)
{
    return kind == OUTBOX_INPUT || kind == OUTBOX_INPUT_ONCE;
}

#endif
