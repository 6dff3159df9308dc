/*
 * The newest of the messages that a walk comes to.
 *
 *     struct kept_entries kept = {.most = 10};
 *     kept_entries_add(&kept, entry);                   during the walk
 *     stopped = kept_entries_each(&kept, act, context);
 *     kept_entries_release(&kept);
 *
 * The newest is the one that was sent last, or of dead letters the one that died last.
 */
#ifndef KEPT_ENTRIES_H
#define KEPT_ENTRIES_H

#include <mq.h>
#include <stddef.h>
#include <stdint.h>

struct kept_entry;

struct kept_entries {
    uint64_t most; /* how many are wanted; 0: all */
    struct kept_entry *list;
    size_t count, room;
};

/* Keep a copy. 0; if memory is out the program ends. */
int kept_entries_add(struct kept_entries *kept, const struct mq_entry *entry);

/* Call `act` for those that are wanted, the newest first. If it returns non-zero that is returned. */
int kept_entries_each(struct kept_entries *kept, int (*act)(const struct mq_entry *entry, void *context),
                      void *context);

void kept_entries_release(struct kept_entries *kept);

#endif
