/*
 * Sending batches to topics: messages that go to the same queues share files.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "format/message.h"
#include "route/fan_out.h"
#include "route/groups.h"
#include "txn/transaction.h"

/* How many groups a message may go back past, and how many names the routes of a part of a batch have at most, or a
   little more. */
#define GROUPS_BACK 16
#define NAMES_AT_ONCE 65536

/* A part of a batch, with the routes of its messages. */
struct part {
    mq_message *const *messages;
    size_t count;
    struct route *routes;
    size_t *groups; /* of each message */
    const struct mq_send_options *options;
    bool *duplicates; /* of each message, if they are sent once */
    char (*ids)[MQ_ID_SIZE];
    mq_message **together; /* room for a group */
    char (*their_ids)[MQ_ID_SIZE];
};

/* The messages of a group, which have one route. */
static int send_group(mq_topic *topic, mq_tx *tx, const struct part *part, size_t group)
{
    struct mq_send_options options = *part->options;
    size_t count = 0, first = 0;
    for (size_t i = part->count; i-- > 0;)
        first = part->groups[i] == group ? i : first;
    for (size_t i = first; i < part->count; i++)
        if (part->groups[i] == group)
            part->together[count++] = part->messages[i];
    topic->route = part->routes[first];
    options.ret_duplicates = part->duplicates + first; /* what is sent once goes in runs */
    const int error = fan_out_send(topic, tx,
                                   &(struct fan_out_load){.messages = part->together,
                                                          .count = count,
                                                          .options = &options,
                                                          .ids = part->ids ? part->their_ids : NULL});
    topic->route = (struct route){0};
    for (size_t i = part->count; i-- > 0 && fan_out_is_sent(error) && part->ids;)
        if (part->groups[i] == group)
            strcpy(part->ids[i], part->their_ids[--count]);
    return error;
}

static bool can_be_sent_again(const struct part *part)
{
    for (size_t i = 0; i < part->count; i++)
        if (part->messages[i]->body_fd >= 0)
            return false;
    return true;
}

/* All groups as one transaction, or nothing. It does not wait for room: those that are sent in runs do. */
static int send_groups_whole(mq_topic *topic, const struct part *part, size_t groups)
{
    mq_tx *tx;
    struct mq_send_options options = *part->options;
    struct part own = *part;
    options.block = 0;
    own.options = &options;
    int error = mq_tx_begin(topic->spool_path, FAN_OUT_TIME, &tx);
    if (error)
        return error;
    for (size_t group = 0; group < groups && !error; group++)
        error = send_group(topic, tx, &own, group);
    if (!error)
        error = mq_tx_commit(tx);
    if (error)
        (void)mq_tx_abort(tx);
    mq_tx_free(tx);
    return error;
}

/* In groups that share files. If that fails, as many as can be sent, in their order; not what was decided to be sent. */
static int send_part(mq_topic *topic, mq_tx *tx, const struct part *part, size_t *ret_sent)
{
    size_t groups = tx || part->options->once || !can_be_sent_again(part)
                        ? 0
                        : groups_make(part->routes, part->count, GROUPS_BACK, part->groups);
    int error = groups > 1 ? send_groups_whole(topic, part, groups) : -EAGAIN;
    *ret_sent = fan_out_is_sent(error) ? part->count : 0;
    if (fan_out_is_sent(error))
        return error;
    error = 0;
    const size_t runs = groups_make(part->routes, part->count, 1, part->groups);
    for (size_t group = 0; group < runs && !error; group++) {
        error = send_group(topic, tx, part, group);
        for (size_t i = 0; i < part->count && fan_out_is_sent(error); i++)
            *ret_sent += part->groups[i] == group;
    }
    return error;
}

/* The routes of the first messages, until one has none, for which `ret_found` is the reason. */
static size_t find_routes(mq_topic *topic, const struct part *part, int *ret_found)
{
    size_t found = 0, names = 0;
    for (*ret_found = 0; found < part->count && names < NAMES_AT_ONCE; found++) {
        *ret_found = fan_out_find(topic, part->messages[found], &part->routes[found]);
        if (*ret_found < 0)
            break;
        names += part->routes[found].queues.count + part->routes[found].use_count;
    }
    return found;
}

static void count_one(mq_topic *topic, const struct part *part, size_t i)
{
    if (part->options->once && part->duplicates[i])
        topic_counts_note_duplicates(&topic->counts, topic->spool, topic->name, 1, topic->most_bindings);
    else
        topic_counts_note(&topic->counts, topic->spool, &part->routes[i], 1, topic->most_bindings);
}

static int send_first_part(mq_topic *topic, mq_tx *tx, struct part *part, size_t *ret_sent)
{
    int found, error = 0;
    const size_t count = part->count;
    part->count = find_routes(topic, part, &found);
    *ret_sent = 0;
    if (part->count > 0)
        error = send_part(topic, tx, part, ret_sent);
    const bool refused = !error && found < 0;
    for (size_t i = 0; i < *ret_sent + (refused && found == -ENXIO); i++)
        count_one(topic, part, i);
    for (size_t i = 0; i < count; i++)
        route_release(&part->routes[i]);
    return refused ? found : error;
}

int mq_topic_send_batch(mq_topic *topic, mq_tx *tx, mq_message *const *messages, size_t count,
                        const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    struct part part = {.options = options,
                        .routes = calloc(count + 1, sizeof *part.routes),
                        .groups = calloc(count + 1, sizeof *part.groups),
                        .together = calloc(count + 1, sizeof *part.together),
                        .their_ids = calloc(count + 1, sizeof *part.their_ids)};
    bool *const duplicates = calloc(count + 1, sizeof *duplicates);
    int error = duplicates && part.routes && part.groups && part.together && part.their_ids ? 0 : -ENOMEM;
    *ret_sent = 0;
    fan_out_begin(topic);
    while (*ret_sent < count && !error) {
        size_t sent;
        part.messages = messages + *ret_sent;
        part.count = count - *ret_sent;
        part.ids = ret_ids ? ret_ids + *ret_sent : NULL;
        part.duplicates = duplicates + *ret_sent;
        error = send_first_part(topic, tx, &part, &sent);
        *ret_sent += sent;
    }
    if (options->ret_duplicates && duplicates)
        memcpy(options->ret_duplicates, duplicates, *ret_sent * sizeof *duplicates);
    free(duplicates);
    free(part.routes);
    free(part.groups);
    free(part.together);
    free(part.their_ids);
    return error;
}
