/*
 * A bounded set of file names that were seen in a listing, each in the directory of one inotify watch.
 *
 *     struct seen_names seen = {0};
 *     seen_names_add(&seen, watch, file);
 *     …
 *     if (seen_names_take(&seen, watch, file))      inotify reports what the listing showed
 */
#ifndef MQ_SEEN_NAMES_H
#define MQ_SEEN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEEN_NAMES_MAX 4096

struct seen_names {
    uint64_t marks[SEEN_NAMES_MAX];
    size_t count;
};

/* Nothing is added to a full set. */
void seen_names_add(struct seen_names *seen, int watch, const char *file);

/* Whether a name is in the set. It is removed. */
bool seen_names_take(struct seen_names *seen, int watch, const char *file);

#endif
