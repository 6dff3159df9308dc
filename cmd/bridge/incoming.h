/*
 * In: messages of the other side, sent to a queue here once each, and acked there when they are safe here.
 *
 *     static const struct inlet inlet = {open, ask, work, settle, close};
 *     status = incoming_run(&bridge, "jobs", &inlet, peer);
 *
 * Into the queue nothing comes twice within its dedup-window, by the message's id. What was not settled there when a
 * connection ends comes again, and is a duplicate here if it was sent.
 */
#ifndef INCOMING_H
#define INCOMING_H

#include "bridge/bridge.h"
#include "message/json_read.h"

/* A message that came. Its body lives in `record`; `token` tells the other side which one is settled. */
struct incoming_item {
    mq_message *message;
    char *token;
    bool is_bound; /* settled with others by one token, of the last of them: it cannot be rejected by itself */
    struct json_record record;
};

struct incoming_items {
    struct incoming_item *items;
    size_t count, room;
};

enum incoming_end { INCOMING_ACK, INCOMING_REJECT, INCOMING_RELEASE };

/* What ask and settle have to say is written at once, as far as it can be: a wait for the answer, or work here, may
   follow. */
struct inlet {
    enum bridge_result (*open)(void *peer);
    /* Ask for up to `most` messages; with `waits` for one that may take some seconds to come. */
    enum bridge_result (*ask)(void *peer, uint64_t most, bool waits);
    /* Write and read what can be without waiting; messages go to `items`. `ret_idle`: all that was asked for has come, or
       there is no more; and all that was settled is confirmed. */
    enum bridge_result (*work)(void *peer, struct incoming_items *items, bool *ret_answered, bool *ret_settled);
    /* These are done; `words` is why, of a message that is rejected. */
    enum bridge_result (*settle)(void *peer, enum incoming_end end, const struct incoming_item *items, size_t count,
                                 const char *words);
    enum bridge_result (*close)(void *peer, bool all_settled);
    uint64_t most; /* to ask for at a time; 0: 1024 */
};

/* Add an item, which is filled by the caller; NULL: out of memory. */
struct incoming_item *incoming_add(struct incoming_items *items);

/* Carry messages until the end. Returns the exit status; errors are reported. */
int incoming_run(struct bridge *bridge, const char *queue, const struct inlet *inlet, void *peer);

#endif
