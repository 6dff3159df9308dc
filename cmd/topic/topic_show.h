/* Showing topics and where messages go. Calls return an exit status, and have reported what is wrong. */
#ifndef TOPIC_SHOW_H
#define TOPIC_SHOW_H

#include <mq.h>
#include <stdbool.h>

/* What a command line says of bindings and messages. */
struct topic_terms {
    const char **keys;       /* patterns; of route, the key */
    const char **conditions; /* "NAME" or "NAME: VALUE" */
    size_t key_count, condition_count;
    bool any;
};

/* The bindings of these topics, or of all. */
int topic_show(char **names, int count);

/* The queues that would get a message with this key and these headers. STATUS_NOTHING: none would. */
int topic_show_route(const char *name, const struct topic_terms *terms);

/* Report an error of a topic. */
int topic_error(int error, const char *name, const char *what);

#endif
