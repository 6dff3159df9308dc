/*
 * Changing topics: their bindings. Calls return an exit status, and have reported what is wrong.
 */
#ifndef TOPIC_CHANGE_H
#define TOPIC_CHANGE_H

#include <mq.h>

#include "topic/topic_show.h"

/* mq_topic_bind or mq_topic_unbind. */
typedef int topic_change_fn(const char *spool, const char *topic, const struct mq_binding *binding);

/* Change a binding for each pattern, or one. STATUS_NOTHING: nothing was to be changed. */
int topic_change(topic_change_fn *act, const char *topic, const char *destination, const struct topic_terms *terms);

int topic_delete(const char *topic);

#endif
