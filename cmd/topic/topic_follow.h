/* mq-topic follow. */
#ifndef TOPIC_FOLLOW_H
#define TOPIC_FOLLOW_H

#include "topic/topic_show.h"

struct topic_following {
    uint64_t most; /* messages; 0: until a signal */
    int64_t wait;  /* for each of them */
    int framing;   /* 'l', '0', or 0: how a body ends */
};

/* Print what the topic is sent. Returns an exit status. */
int topic_follow(const char *topic, const struct topic_terms *terms, const struct topic_following *following);

#endif
