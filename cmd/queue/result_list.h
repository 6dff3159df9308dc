/* The results that a command is about: what commands printed and how they ended, while the queue keeps it. */
#ifndef RESULT_LIST_H
#define RESULT_LIST_H

#include <mq.h>
#include <stdbool.h>
#include <stddef.h>

#include "message/selection.h"

struct result_item {
    struct mq_result_entry entry;
    char *text; /* what the strings of the entry lie in */
};

struct result_list {
    struct result_item *items;
    size_t count, room;
};

struct result_wish {
    struct selection *selection; /* ids, --older-than, --count and --newest; notes which ids have a result */
    bool failed;                 /* only commands that did not succeed, and have ended */
    unsigned attempt;            /* 0: any */
};

/* Gather them, the oldest first unless --newest was given. An error is reported. Returns an exit status. */
int result_list_gather(mq_queue *queue, const struct result_wish *wish, struct result_list *ret_list);

/* Nothing is kept of this message: report why, as far as that is known. Returns an exit status. */
int result_list_explain(mq_queue *queue, const char *id);

void result_list_release(struct result_list *list);

#endif
