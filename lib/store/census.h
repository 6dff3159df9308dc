/* A queue as its directories show it: a count of all messages, by listing. The cost grows with depth. */
#ifndef MQ_CENSUS_H
#define MQ_CENSUS_H

#include "format/name.h"
#include "mq.h"
#include "store/page.h"

struct census {
    int64_t count[MQ_STATES];
    int64_t bytes;
    int64_t waiting;                     /* of these, those of what is ready or delayed */
    uint64_t heads[NAME_PRIORITIES];     /* the birth of the first bucket that holds a message, or PAGE_NO_BUCKET */
    uint64_t positions[NAME_PRIORITIES]; /* the last position in use; 0: none */
};

/* Count the messages of all states, and of the lanes if the queue is ordered. Those that have no position yet are left out:
   inbox.h counts them. */
int census_queue(int queue_dir, bool ordered, struct census *ret_census);

/* What is ready or delayed in a queue that is not ordered: how many messages, and their bytes. */
int census_waiting(int queue_dir, int64_t *ret_count, int64_t *ret_bytes);

/* How many groups of an ordered queue wait for a consumer, wait for the next attempt of their first message, and are
   worked on: by their tokens in ready/, delayed/ and inflight/. */
int census_groups(int queue_dir, uint64_t ret_groups[MQ_STATES]);

/* Count the files of one state, up to `limit`, without their sizes: messages, and the tokens of lanes. */
int census_count(int queue_dir, enum mq_state state, int64_t limit, int64_t *ret_count);

#endif
