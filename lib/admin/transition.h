/* What happened to a message, judged by the old and the new place of its file. No I/O. */
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
 * What a file's move from one place to another means; MQ_EVENT_NONE if nothing happened to the message. `from` NULL:
 * the file is new; `to` NULL: it was removed. `now` distinguishes a claim whose lease expired from one that was given
 * back, and a message that expired from one that was purged.
 */
enum mq_event_kind transition_kind(const struct place *from, const struct place *to, int64_t now);

/* Tell of the message, if there is one, and of its states. The strings of the event are in `text` then. */
struct transition_text {
    char id[MQ_ID_SIZE], reason[NAME_REASON_SIZE];
};
void transition_describe(const struct place *from, const struct place *to, struct transition_text *text,
                         struct mq_event *event);

/* How many messages the move concerns. Either place may be NULL. */
unsigned transition_count(const struct place *from, const struct place *to);

#endif
