/*
 * Handles of queues that stay open for the next use.
 *
 *     struct handles handles = {0};
 *     error = handles_get(&handles, spool, "jobs", &queue);
 *     …
 *     handles_drop(&handles, queue);      if it turns out that the queue was deleted
 *     handles_release(&handles);
 *
 * Errors are negative errno values.
 */
#ifndef MQ_HANDLES_H
#define MQ_HANDLES_H

#include "queue/queue.h"

/* Each takes three descriptors or so. */
#define HANDLES_MAX 48

struct handles {
    mq_queue *list[HANDLES_MAX];
    unsigned count;
    unsigned replaced;
    queue_send_on_fn *send_on; /* of the queues that are opened */
};

/* A handle of the queue that has this name now, until the next call. The queue is made if it is missing; but a reply queue
   ended with the process that waited for the reply: -ENOENT. */
int handles_get(struct handles *handles, const char *spool, const char *name, mq_queue **ret_queue);

/* The same for a queue that was looked for since the decision that this is about: it is not looked for again. NULL: there
   is no handle of it. */
mq_queue *handles_find(const struct handles *handles, const char *name);

/* Keep a handle that a caller has opened, also when that closes it, if there is room. */
void handles_keep(struct handles *handles, mq_queue *queue);

/* Open it anew the next time. */
void handles_drop(struct handles *handles, mq_queue *queue);

void handles_release(struct handles *handles);

#endif
