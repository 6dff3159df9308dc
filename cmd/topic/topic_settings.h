/* Making topics, and their settings: KEY, KEY=VALUE, KEY=. Calls return an exit status. */
#ifndef TOPIC_SETTINGS_H
#define TOPIC_SETTINGS_H

#include "queue/sharing.h"

/* mq-topic create: the first word is the topic, the others set keys. Nothing is made if one of them cannot be set. */
int topic_create(const struct sharing *sharing, char **words, int count);

/* mq-topic config: print the keys that are named, or all, or set those that have a value. The first word is the topic. */
int topic_config(char **words, int count);

#endif
