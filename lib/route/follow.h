/* Followers of topics, which may be dead. The rest is in mq.h. */
#ifndef MQ_FOLLOW_H
#define MQ_FOLLOW_H

#include "route/bindings.h"

/* Take away the bindings of followers that are dead, here and on the disk. */
void topic_drop_dead(const char *spool_path, int spool, const char *topic, struct bindings *bindings);

#endif
