/* The command line of mq-bridge and of every mq-bridge-SCHEME: the same for all. */
#ifndef BRIDGE_ARGUMENTS_H
#define BRIDGE_ARGUMENTS_H

#include <mq.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge/url.h"

struct bridge_arguments {
    const char *source, *destination;
    bool follow, until_empty, create;
    uint64_t count;   /* the most messages to carry; 0: no limit */
    int64_t interval; /* the least time between two messages; 0: none */
    const char *rate; /* the same as it was given */
};

/* Open the queue, or the group of a log, that messages are taken from. Reports why not. */
int bridge_open_source(const struct bridge_arguments *arguments, const char *name, mq_queue **ret_queue);

/* Parse the command line. Ends the program if it is wrong. */
void bridge_parse(int argc, char **argv, struct bridge_arguments *ret_arguments);

/*
 * For a program of one scheme, which may have two names: which of the two words is the URL, as `ret_url`, and which the
 * name of a queue, as `ret_name`. Ends the program unless one is a URL of a scheme in `schemes` with parameters from
 * `known`, and the other a name. Both lists end with NULL. True: the URL is the destination.
 */
bool bridge_sides(const struct bridge_arguments *arguments, const char *const *schemes, const char *const *known,
                  struct url *ret_url, const char **ret_name);

/* The same of a scheme whose URLs may have several hosts. */
bool bridge_sides_of_hosts(const struct bridge_arguments *arguments, const char *const *schemes,
                           const char *const *known, struct url *ret_url, const char **ret_name);

#endif
