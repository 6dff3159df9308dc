/*
 * Sending several messages once, in one file.
 *
 *     error = draft_open(queue, &name, options, now, &draft);
 *     error = several_begin(&several, queue, &draft);
 *     … several_mark(&several, id) == SEVERAL_MARKED: compose that message into the file …
 *     … write to draft.file.file …
 *     error = several_deliver(&several, &is_sent);
 *     several_end(&several);                                     in any case
 *     draft_close(&draft);
 *
 * Errors are those of send_once(). Nothing is sent after an error, except where several_deliver says so; nor is anything if
 * it says neither. Then each message is to be sent once by itself, unless a sync has failed, which is final.
 */
#ifndef MQ_SEND_SEVERAL_H
#define MQ_SEND_SEVERAL_H

#include "format/sent_name.h"
#include "lifecycle/draft.h"

struct several {
    mq_queue *queue;
    struct draft *draft;
    struct sent_slot slot;
    int tmp;
    uint64_t random;
    char own[NAME_SIZE];             /* what the draft is called in tmp/; empty: nothing */
    char says[SENT_NAME_DRAFT_SIZE]; /* what its marks say */
    char like[SENT_NAME_MARK_SIZE];  /* one of them */
    char (*ids)[MQ_ID_SIZE];         /* theirs */
    size_t count, room;
    bool has_failed_sync;
};

/* Whether there is a mark of this id that counts: 1 or 0. */
int several_has_mark(mq_queue *queue, const char *id);

/* Give the draft its name. What is in it afterwards is for several_deliver. Places are the caller's to reserve. */
int several_begin(struct several *ret_several, mq_queue *queue, struct draft *draft);

/* SEVERAL_IN: the message is in this file already. SEVERAL_OTHER: there is a mark, or none can be made, so this message
   does not belong in the file. */
enum several_mark { SEVERAL_MARKED, SEVERAL_IN, SEVERAL_OTHER };
enum several_mark several_mark(struct several *several, const char *id);

/* The file is written. 0 and not sent: nothing is. The caller makes the messages durable later, by a sync of the whole file
   system. */
int several_deliver(struct several *several, bool *ret_is_sent);

void several_end(struct several *several);

#endif
