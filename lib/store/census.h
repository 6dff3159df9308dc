/* A queue as its directories show it: every message counted by listing. The cost grows with depth. */
#ifndef MQ_SURVEY_H
#define MQ_SURVEY_H

#include "format/name.h"
#include "mq.h"
#include "store/page.h"

struct census {
    int64_t count[MQ_STATES];
    int64_t bytes;
    uint64_t heads[NAME_PRIORITIES];     /* first bucket that holds something, or PAGE_NO_BUCKET */
    uint64_t positions[NAME_PRIORITIES]; /* the last position in use, 0 for none */
};

/* List all directories of a queue, and its lanes if it is ordered. What has no place yet is left out: inbox.h counts
   that. */
int census_queue(int queue_dir, bool ordered, struct census *ret_survey);

/* How many groups of an ordered queue wait for a consumer, wait for the next attempt of their first message, and are
   worked on: by their tokens in ready/, delayed/ and inflight/. */
int census_groups(int queue_dir, uint64_t ret_groups[MQ_STATES]);

/* Count the files of one state, up to `limit`, without their sizes: messages, and the tokens of lanes. */
int census_count(int queue_dir, enum mq_state state, int64_t limit, int64_t *ret_count);

#endif
