/* What happened to a message. */
#include "admin/transition.h"

#include <string.h>

#include "format/death.h"

static enum mq_event_kind appeared(const struct place *to)
{
    switch (to->state) {
    case MQ_INFLIGHT:
        return MQ_EVENT_CLAIMED;
    case MQ_DEAD:
        return death_cause(to->name.reason) == MQ_DEATH_EXPIRED ? MQ_EVENT_EXPIRED : MQ_EVENT_DEAD;
    default:
        if (to->name.length > 0) /* split off a batch: it was ready before */
            return MQ_EVENT_NONE;
        return to->name.attempts > 0 ? MQ_EVENT_RETRIED : MQ_EVENT_SENT;
    }
}

static enum mq_event_kind removed(const struct place *from, int64_t now)
{
    if (from->state == MQ_INFLIGHT)
        return MQ_EVENT_ACKED;
    const bool expired = from->state == MQ_READY && from->name.expires && from->name.expires <= now;
    return expired ? MQ_EVENT_EXPIRED : MQ_EVENT_REMOVED;
}

/* A claim ended other than by ack: the message is ready or delayed again. */
static enum mq_event_kind returned(const struct place *from, const struct place *to, int64_t now)
{
    if (to->name.attempts < from->name.attempts)
        return MQ_EVENT_RELEASED;
    return to->state == MQ_READY && from->name.time <= now ? MQ_EVENT_LEASE_EXPIRED : MQ_EVENT_RETRIED;
}

/* A rename within a state has a meaning only for claims: a part of a batch was acknowledged, or the lease
   was extended. */
static enum mq_event_kind renamed(const struct place *from, const struct place *to)
{
    if (to->state == MQ_INFLIGHT && to->name.position != from->name.position)
        return MQ_EVENT_ACKED;
    const bool extended = to->state == MQ_INFLIGHT && to->name.token == from->name.token &&
                          to->name.time != from->name.time;
    return extended ? MQ_EVENT_EXTENDED : MQ_EVENT_NONE;
}

unsigned transition_count(const struct place *from, const struct place *to)
{
    if (!to)
        return from->name.count;
    if (!from || to->name.count >= from->name.count)
        return to->name.count;
    return from->state == to->state ? from->name.count - to->name.count : to->name.count;
}

enum mq_event_kind transition_kind(const struct place *from, const struct place *to, int64_t now)
{
    if (!to)
        return removed(from, now);
    if (!from || to->state == MQ_INFLIGHT || to->state == MQ_DEAD)
        return from && from->state == to->state ? renamed(from, to) : appeared(to);
    if (from->state == to->state)
        return MQ_EVENT_NONE;
    switch (from->state) {
    case MQ_INFLIGHT:
        return returned(from, to, now);
    case MQ_DEAD:
        return MQ_EVENT_REVIVED;
    default:
        return to->state == MQ_READY ? MQ_EVENT_DUE : MQ_EVENT_NONE;
    }
}

void transition_describe(const struct place *from, const struct place *to, struct transition_text *text,
                         struct mq_event *event)
{
    const struct place *place = to ? to : from;
    if (place) {
        const struct message_name *name = &place->name;
        memcpy(text->id, name->id, sizeof text->id);
        name_unescape_reason(name->reason, text->reason);
        event->id = text->id;
        event->count = transition_count(from, to);
        event->attempts = name->attempts;
        event->priority = name->priority;
        event->time = to && to->state != MQ_READY ? name->time : 0;
        event->reason = to && to->state == MQ_DEAD ? text->reason : NULL;
        event->owner = to && to->state == MQ_INFLIGHT ? (pid_t)name->owner.process : 0;
    }
    event->was = from != NULL;
    event->is = to != NULL;
    event->from = from ? from->state : MQ_READY;
    event->to = to ? to->state : MQ_READY;
}
