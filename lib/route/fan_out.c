/*
 * Sending to topics.
 *
 * A message for one queue is sent to that queue. A message for several queues is written once, in the topic's feed/, and
 * linked into a transaction under a name for each queue; so is a file of several messages. The limits of the queues are
 * checked before the commit, which no queue refuses. If a queue's files need another owner or mode, the process that
 * carries out the transaction makes a copy.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/grow.h"
#include "base/id.h"
#include "format/message.h"
#include "format/spool_name.h"
#include "lifecycle/publish.h"
#include "queue/queue.h"
#include "route/fan_out.h"
#include "route/follow.h"
#include "route/log_send.h"
#include "route/topic.h"
#include "route/topic_counts.h"
#include "store/adopt.h"
#include "store/spool.h"
#include "txn/transaction.h"

/* How many topics are read again only if they were changed; each may have two files open. */
#define KNOWN_MAX 32

/* ---- routes ----------------------------------------------------------------------------------- */

static void release_known(struct known *known)
{
    bindings_release(&known->bindings);
    topic_forget_files(&known->files);
}

static void forget_topics(mq_topic *topic)
{
    for (size_t i = 0; i < topic->known_count; i++)
        release_known(&topic->known[i]);
    free(topic->known);
    topic->known = NULL;
    topic->known_count = topic->known_room = 0;
}

/* Leave out the bindings of followers that have died. */
static void note_bindings(mq_topic *topic, struct known *known)
{
    topic_drop_dead(topic->spool_path, topic->spool, known->name, &known->bindings);
    if (known->bindings.count > topic->most_bindings)
        topic->most_bindings = known->bindings.count;
}

static int read_topic(mq_topic *topic, int dir, const char *name)
{
    if (!GROW(topic->known, topic->known_count + 1, topic->known_room))
        return -ENOMEM;
    struct known *known = &topic->known[topic->known_count];
    *known = (struct known){.files = {-1, -1}, .is_current = true};
    strcpy(known->name, name);
    int error = topic->known_count < KNOWN_MAX ? topic_note_files(dir, &known->files) : 0;
    if (!error)
        error = topic_read(dir, &known->bindings, &known->topic);
    if (error)
        release_known(known);
    else
        note_bindings(topic, known);
    topic->known_count += !error;
    return error;
}

/* What is read stays until the publication ends: so all its messages go by the same bindings. The next one looks whether
   the files are still the same. */
void fan_out_begin(mq_topic *topic)
{
    for (size_t i = 0; i < topic->known_count; i++)
        topic->known[i].is_current = false;
}

/* A topic that was read before. 1 it is as it was, 0 it is to be read. */
static int recall(mq_topic *topic, const char *name, struct route_topic *ret_topic)
{
    size_t at = 0;
    while (at < topic->known_count && strcmp(topic->known[at].name, name) != 0)
        at++;
    if (at == topic->known_count)
        return 0;
    struct known *known = &topic->known[at];
    const int has = known->is_current ? 1 : topic_has_files(topic->spool, name, &known->files);
    if (has == 0) {
        release_known(known);
        topic->known[at] = topic->known[--topic->known_count];
    }
    if (has != 1)
        return has;
    if (!known->is_current)
        note_bindings(topic, known);
    known->is_current = true;
    *ret_topic = known->topic;
    ret_topic->bindings = &known->bindings;
    return 1;
}

/* A queue that was a queue before and still has its name is no topic. */
static bool is_known_queue(mq_topic *topic, const char *name)
{
    mq_queue *queue = handles_find(&topic->handles, name);
    if (!queue || queue_has_name(queue) == 1)
        return queue;
    handles_drop(&topic->handles, queue);
    return false;
}

static int look(void *context, const char *name, struct route_topic *ret_topic)
{
    mq_topic *topic = context;
    if (is_known_queue(topic, name) || destination_is_known_log(topic, name))
        return 0;
    const int known = recall(topic, name, ret_topic);
    if (known)
        return known;
    const int dir = topic_open_dir(topic->spool, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = read_topic(topic, dir, name);
    close(dir);
    return error ? error : recall(topic, name, ret_topic);
}

int fan_out_find(mq_topic *topic, const mq_message *message, struct route *ret_route)
{
    const struct route_query query = {.key = mq_message_header(message, MQ_ROUTING_KEY), .message = message};
    return route_find(ret_route, topic->name, &query, look, topic);
}

/* The topic that is sent to was read when the route was found. */
static const struct route_topic *settings_of(const mq_topic *topic)
{
    size_t at = 0;
    while (strcmp(topic->known[at].name, topic->name) != 0)
        at++;
    return &topic->known[at].topic;
}

int mq_topic_route(mq_topic *topic, const mq_message *message, int (*each)(const char *queue, void *context),
                   void *context)
{
    struct route route = {0};
    fan_out_begin(topic);
    int stop = fan_out_find(topic, message, &route);
    stop = stop == 0 ? -ENXIO : stop < 0 ? stop : 0;
    for (size_t i = 0; i < route.queues.count && !stop; i++)
        stop = each(route.queues.list[i], context);
    route_release(&route);
    return stop;
}

/* ---- handles ----------------------------------------------------------------------------------- */

int fan_out_take(struct outlet *outlet, mq_queue *feed, struct draft *draft);

/* The feed of the topic that has the name, in place of one that was removed. */
static int heal(struct outlet *outlet)
{
    mq_topic *topic = (mq_topic *)outlet;
    const int dir = topic_open_dir(topic->spool, topic->name);
    int error = dir < 0 ? dir : topic_heal(dir);
    const int feed = error ? error : fs_open_passage(dir, TOPIC_FEED);
    if (feed >= 0) {
        close(topic->feed->dir);
        topic->feed->dir = feed;
    }
    if (dir >= 0)
        close(dir);
    return feed < 0 ? feed : 0;
}

/* Whatever a queue's configuration may say of messages is said by those that they go to. */
static int open_feed(mq_topic *topic, int dir)
{
    int feed = fs_open_passage(dir, TOPIC_FEED);
    if (feed == -ENOENT && topic_heal(dir) == 0)
        feed = fs_open_passage(dir, TOPIC_FEED);
    const int error = queue_open_feed(topic->spool_path, topic->name, feed, &topic->outlet, &topic->feed);
    if (error)
        return error;
    topic->feed->config.max_size = UINT64_MAX / 2;
    topic->feed->names_drafts = true;
    return 0;
}

void mq_topic_close(mq_topic *topic)
{
    if (!topic)
        return;
    mq_close(topic->feed);
    mq_tx_free(topic->own);
    handles_release(&topic->handles);
    log_handles_release(&topic->logs);
    forget_topics(topic);
    route_release(&topic->route);
    topic_counts_release(&topic->counts);
    if (topic->spool >= 0)
        close(topic->spool);
    free(topic->spool_path);
    free(topic);
}

int topic_open(const char *spool, const char *name, mq_topic **ret_topic)
{
    if (!mq_queue_name_is_valid(name))
        return -EINVAL;
    mq_topic *topic = calloc(1, sizeof *topic);
    if (!topic)
        return -ENOMEM;
    strcpy(topic->name, name);
    topic->outlet = (struct outlet){.take = fan_out_take, .heal = heal, .once = &fan_out_once};
    topic->spool_path = spool ? strdup(spool) : NULL;
    topic->spool = spool_open(spool, false);
    const int dir = topic->spool < 0 ? topic->spool : topic_open_dir(topic->spool, name);
    int error = dir < 0 ? dir : spool && !topic->spool_path ? -ENOMEM : open_feed(topic, dir);
    if (dir >= 0)
        close(dir);
    if (error)
        mq_topic_close(topic);
    else
        *ret_topic = topic;
    return error;
}

/* ---- one file to several queues ------------------------------------------------------------------ */

/* Wait for room as long as the sender wants to. The transaction waits with it, unless its deadline is somebody else's. A file
   of several messages that are sent once does not wait: there may be room for one by one. */
static int wait_for_room(mq_topic *topic, mq_queue *queue, const struct draft *draft)
{
    struct mq_send_options options = *topic->options;
    const int64_t block = options.once && draft->name.count > 1 ? 0 : options.block;
    int error = 0;
    for (bool last = false; !last;) {
        const int64_t left = block - (clock_monotonic() - topic->since);
        const bool for_ever = block == MQ_FOREVER;
        last = !for_ever && left <= FAN_OUT_TIME / 2;
        options.block = !last ? FAN_OUT_TIME / 2 : left > 0 ? left : 0;
        error = publish_look_for_room(queue, draft, &options);
        if (error != -ENOBUFS && error != -ESHUTDOWN)
            break;
        if (!last && topic->owns_tx)
            error = mq_tx_extend(topic->tx, FAN_OUT_TIME);
        if (error != -ENOBUFS && error != -ESHUTDOWN && error)
            break;
    }
    return error;
}

/* Into the transaction for one queue, as that has it: its ttl, its durability, its limits. */
static int take_for_queue(mq_topic *topic, mq_queue *queue, struct draft *draft)
{
    struct draft own = *draft;
    const int64_t now = queue_now(queue);
    if (!own.name.expires && queue->config.ttl)
        own.name.expires = name_time_after(now, queue->config.ttl);
    own.durable = queue->config.durable && !topic->options->no_sync;
    own.openings = queue->openings; /* it is the topic's file, and stays as it is */
    queue->outlet = &topic->tx->outlet;
    int error = queue_demand(queue, ACCESS_SEND);
    if (!error)
        error = destination_check_size(topic, queue->config.max_size, draft);
    if (!error)
        error = draft_check_file(queue, draft);
    if (!error)
        error = wait_for_room(topic, queue, &own);
    if (!error)
        error = topic->tx->outlet.take(&topic->tx->outlet, queue, &own);
    queue->outlet = NULL;
    draft->synced = own.synced;
    strcpy(topic->refused_by, error ? queue->name : "");
    return error;
}

static int take_for(mq_topic *topic, const struct destination *to, struct draft *draft)
{
    return to->log ? destination_take_for_log(topic, to->log, draft) : take_for_queue(topic, to->queue, draft);
}

int fan_out_take(struct outlet *outlet, mq_queue *feed, struct draft *draft)
{
    mq_topic *topic = (mq_topic *)outlet;
    int error = 0;
    (void)feed;
    for (size_t i = 0; i < topic->route.queues.count && !error; i++) {
        struct destination to;
        const char *name = topic->route.queues.list[i];
        error = destination_find(topic, name, &to);
        if (error && name_is_reply(name)) { /* of a follower that has just ended, or of another user */
            error = 0;
            continue;
        }
        if (!error)
            error = take_for(topic, &to, draft);
        if (error == -EMLINK) { /* the file has as many names as it may have: the others share a copy */
            error = adopt_unnamed(topic->feed->dir, topic->feed->sharing, &draft->file);
            if (!error)
                error = take_for(topic, &to, draft);
        }
    }
    return error;
}

/* ---- publications -------------------------------------------------------------------------------- */

static int send_to(mq_queue *queue, mq_tx *tx, const struct fan_out_load *load)
{
    size_t sent;
    if (load->model)
        return tx ? mq_tx_send_bodies(tx, queue, load->model, load->bodies, load->count, load->options, load->ids,
                                      &sent)
                  : mq_send_bodies(queue, load->model, load->bodies, load->count, load->options, load->ids, &sent);
    if (load->count == 1)
        return tx ? mq_tx_send(tx, queue, load->messages[0], load->options, load->ids ? load->ids[0] : NULL)
                  : mq_send(queue, load->messages[0], load->options, load->ids ? load->ids[0] : NULL);
    return tx ? mq_tx_send_batch(tx, queue, load->messages, load->count, load->options, load->ids, &sent)
              : mq_send_batch(queue, load->messages, load->count, load->options, load->ids, &sent);
}

/* To the one queue or log that gets it: several messages are still sent all or none. */
static int send_to_one(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load)
{
    struct destination to;
    const char *name = topic->route.queues.list[0];
    const int error = destination_find(topic, name, &to);
    if (error)
        return error == -ENOENT && name_is_reply(name) ? -ENXIO : error;
    return to.log ? destination_send_to_log(to.log, tx, load) : send_to(to.queue, tx, load);
}

static uint64_t largest_body(const struct fan_out_load *load)
{
    uint64_t largest = 0;
    for (size_t i = 0; i < load->count; i++) {
        const mq_message *message = load->model ? load->model : load->messages[i];
        const uint64_t size = load->model             ? load->bodies[i].iov_len
                              : message->body_fd >= 0 ? UINT64_MAX
                                                      : message->body_size;
        largest = size > largest ? size : largest;
    }
    return largest;
}

/* Delays and windows go by the time by which the queues are judged. Their pages know it, a topic has none. */
static int take_clock(mq_topic *topic, bool once)
{
    struct destination to;
    for (size_t i = 0; i < topic->route.queues.count; i++) {
        if (destination_find(topic, topic->route.queues.list[i], &to) != 0 || !to.queue || queue_only_sends(to.queue))
            continue;
        shared_clock_refresh(&to.queue->clock, to.queue->page, to.queue->dir, to.queue->rights);
        topic->feed->clock = to.queue->clock;
        return 0;
    }
    return once ? queue_learn_clock(topic->feed) : 0;
}

int fan_out_send_to_several(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load)
{
    struct mq_send_options singly = *load->options;
    struct fan_out_load own = *load;
    singly.batch = 1;
    const struct destination_kinds kinds = load->count > 1 ? destination_kinds(topic) : (struct destination_kinds){0};
    topic->feed->counts_entries = kinds.logs;
    if (kinds.ordered)
        own.options = &singly;
    topic->tx = tx;
    topic->largest = largest_body(load);
    topic->options = own.options;
    topic->since = clock_monotonic();
    const int error = take_clock(topic, load->options->once);
    return error ? error : send_to(topic->feed, NULL, &own);
}

/* The topic's own transaction, begun. Its handle is kept, unless the last one could not be aborted. */
static int begin_own(mq_topic *topic)
{
    if (topic->own && mq_tx_renew(topic->own, FAN_OUT_TIME) == 0)
        return 0;
    mq_tx_free(topic->own);
    topic->own = NULL;
    return mq_tx_begin(topic->spool_path, FAN_OUT_TIME, &topic->own);
}

/* A transaction of its own for what must happen whole. */
static int send_whole(mq_topic *topic, const struct fan_out_load *load)
{
    int error = begin_own(topic);
    if (error)
        return error;
    topic->owns_tx = true;
    error = topic->route.queues.count == 1 && load->options->block == 0
                ? send_to_one(topic, topic->own, load)
                : fan_out_send_to_several(topic, topic->own, load);
    topic->owns_tx = false;
    if (!error)
        error = mq_tx_commit(topic->own);
    if (error)
        (void)mq_tx_abort(topic->own); /* what is not decided; if this fails, its deadline does */
    return error;
}

/* Messages that nobody gets have ids like the others. */
static void make_ids(const struct fan_out_load *load)
{
    struct id_series series = id_series(clock_now());
    for (size_t i = 0; i < load->count && load->ids; i++) {
        const char *own = load->model ? "" : mq_message_id(load->messages[i]);
        if (*own)
            strcpy(load->ids[i], own);
        else
            id_next(&series, load->ids[i]);
    }
}

/* A user who may only look at the topic does not send by it, not even to a queue that would take the message from that
   user. */
static int demand_sending(mq_topic *topic)
{
    int error = topic->may_send ? 0 : fs_may(topic->feed->dir, "tmp", W_OK | X_OK);
    if (error == -ENOENT && heal(&topic->outlet) == 0)
        error = fs_may(topic->feed->dir, "tmp", W_OK | X_OK);
    topic->may_send = !error;
    return error;
}

int fan_out_send(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load)
{
    const int refused = demand_sending(topic);
    if (refused)
        return refused;
    struct mq_send_options options = *load->options;
    struct fan_out_load own = *load;
    if (topic->route.queues.count == 0) { /* to be dropped */
        make_ids(load);
        return 0;
    }
    options.no_sync |= settings_of(topic)->no_sync;
    own.options = &options;
    if (options.once)
        return tx ? -EOPNOTSUPP : fan_out_send_once(topic, &own, settings_of(topic)->dedup_window);
    if (tx)
        return topic->route.queues.count == 1 ? send_to_one(topic, tx, &own) : fan_out_send_to_several(topic, tx, &own);
    return topic->route.queues.count == 1 && load->count == 1 ? send_to_one(topic, NULL, &own)
                                                              : send_whole(topic, &own);
}

/* Along the route that was found, or nowhere, for which `found` is the reason. */
static int send_along(mq_topic *topic, mq_tx *tx, const struct fan_out_load *load, int found)
{
    const uint64_t before = page_counter(topic->feed->page, PAGE_DUPLICATES);
    const int error = found < 0 ? found : fan_out_send(topic, tx, load);
    const uint64_t duplicates = page_counter(topic->feed->page, PAGE_DUPLICATES) - before;
    topic_counts_note_duplicates(&topic->counts, topic->spool, topic->name, duplicates, topic->most_bindings);
    if ((fan_out_is_sent(error) || error == -ENXIO) && duplicates < load->count)
        topic_counts_note(&topic->counts, topic->spool, &topic->route, load->count - duplicates, topic->most_bindings);
    return error;
}

static int send_load(mq_topic *topic, mq_tx *tx, const mq_message *message, const struct fan_out_load *load)
{
    const int found = fan_out_find(topic, message, &topic->route), error = send_along(topic, tx, load, found);
    route_release(&topic->route);
    return error;
}

int mq_topic_send(mq_topic *topic, mq_tx *tx, mq_message *message, const struct mq_send_options *options, char *ret_id)
{
    char ids[1][MQ_ID_SIZE] = {""};
    fan_out_begin(topic);
    const int error = send_load(
        topic, tx, message, &(struct fan_out_load){.messages = &message, .count = 1, .options = options, .ids = ids});
    if (fan_out_is_sent(error) && ret_id)
        strcpy(ret_id, ids[0]);
    return error;
}

int mq_topic_send_bodies(mq_topic *topic, mq_tx *tx, const mq_message *message, const struct iovec *bodies,
                         size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                         size_t *ret_sent)
{
    const struct fan_out_load load = {
        .model = message, .bodies = bodies, .count = count, .options = options, .ids = ret_ids};
    fan_out_begin(topic);
    const int error = count > 0 ? send_load(topic, tx, message, &load) : 0;
    *ret_sent = fan_out_is_sent(error) ? count : 0;
    return error;
}
