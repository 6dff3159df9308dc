/* Showing topics and where messages go. Calls return an exit status, and have reported what is wrong. */
#ifndef TOPIC_SHOW_H
#define TOPIC_SHOW_H

#include <mq.h>

/* The bindings of the topics named, or of all. */
int topic_show(char **names, int count);

/* The queues that would get the message: STATUS_NOTHING where none would. */
int topic_show_route(const char *name, const mq_message *message);

/* Report an error of a topic. */
int topic_error(int error, const char *name, const char *what);

#endif
