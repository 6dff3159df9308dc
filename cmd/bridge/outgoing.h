/*
 * Out: messages of a queue here, handed to the other side, and acked here once it has confirmed them.
 *
 *     static const struct outlet outlet = {open, put, work, close};
 *     status = outgoing_run(&bridge, "jobs", &outlet, peer);
 *
 * The other side confirms in the order in which messages were put: `work` adds how many to `bridge.confirmed`. Up to some
 * hundred are on their way at a time. Whatever is not confirmed when a connection ends goes back to its place here, and
 * is put again: the other side has to take it once, by its id.
 */
#ifndef OUTGOING_H
#define OUTGOING_H

#include "bridge/bridge.h"

#define OUTGOING_MESSAGES 1024 /* on their way at a time, at most */

struct outlet {
    enum bridge_result (*open)(void *peer);
    /* Hand over a message, whose body is read. BRIDGE_REFUSED: this one. It may stay in a buffer until `work`. */
    enum bridge_result (*put)(void *peer, mq_message *message);
    /* Write and read what can be without waiting; `ret_confirmed` gets how many more messages are confirmed, also where the
       result is an error. BRIDGE_REFUSED, BRIDGE_SKIPPED: the first that is not; after the latter `work` is called again at
       once. */
    enum bridge_result (*work)(void *peer, uint64_t *ret_confirmed);
    /* How many bytes of what was put are not written yet. */
    size_t (*held)(const void *peer);
    /* End the connection; `all_confirmed`: nothing is on its way. */
    enum bridge_result (*close)(void *peer, bool all_confirmed);
};

/* Carry messages until the end. Returns the exit status; errors are reported. */
int outgoing_run(struct bridge *bridge, const char *queue, const struct outlet *outlet, void *peer);

#endif
