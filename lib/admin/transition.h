/* What became of a message, by where its file was and where it is; no I/O. */
#ifndef MQ_TRANSITION_H
#define MQ_TRANSITION_H

#include "format/name.h"
#include "mq.h"

/* A place of a message's file, and its name there. */
struct place {
    enum mq_state state;
    struct message_name name;
};

/*
 * What it means that a file went from one place to another: MQ_EVENT_NONE where that is nothing that happened to the
 * message. `from` NULL: it was not seen before; `to` NULL: it was removed. `now` tells a claim that lapsed from one
 * that was given back, and a message that expired from one that was purged.
 */
enum mq_event_kind transition_kind(const struct place *from, const struct place *to, int64_t now);

/* How many messages it happened to: one or the other place may be NULL. */
unsigned transition_count(const struct place *from, const struct place *to);

#endif
