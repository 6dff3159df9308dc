/* How far a group is behind its log. */
#ifndef MQ_GROUP_FIGURES_H
#define MQ_GROUP_FIGURES_H

#include "queue/queue.h"

struct group_figures {
    uint64_t next;   /* the offset that comes next */
    uint64_t unread; /* messages of the log from there on */
    uint64_t missed;
    int64_t next_at; /* when the first of these was appended; 0: there is none, or that is not known */
};

int group_look(const mq_queue *queue, struct group_figures *ret_figures);

#endif
