/* Looking at messages without claiming them. The calls themselves are in mq.h. */
#ifndef MQ_BROWSE_H
#define MQ_BROWSE_H

#include "queue/queue.h"

/* The file that an entry's message is in. */
struct browse_place {
    int dir; /* its bucket; the caller closes it */
    char file[NAME_SIZE];
    struct message_name name;
};

/* Where an entry's message lies now: others of its file may have been taken since it was seen. 1, or 0 it has moved
   on. */
int browse_find(mq_queue *queue, const struct mq_entry *entry, struct browse_place *ret_place);

#endif
