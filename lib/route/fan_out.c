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
#include "base/io.h"
#include "format/message.h"
#include "lifecycle/publish.h"
#include "queue/queue.h"
#include "route/topic.h"
#include "store/spool.h"
#include "txn/transaction.h"

/* Headers of a message at most, with what the library adds. */
#define HEADERS_READ (MESSAGE_HEADERS_MAX + 4096)

/* A topic as it was read. */
struct known {
    char name[MQ_QUEUE_NAME_SIZE];
    struct bindings bindings;
    struct route_topic topic;
};

struct mq_topic {
    struct outlet outlet; /* the first: what the feed knows of the topic */
    char name[MQ_QUEUE_NAME_SIZE];
    char *spool_path; /* as mq_open takes it */
    int spool;
    mq_queue *feed;      /* what messages are sent to, to be written; not a queue that anybody can open */
    struct known *known; /* the topics of this publication */
    size_t known_count, known_room;
    struct route route; /* of what is being sent */
    mq_tx *tx;          /* what it is sent into */
    uint64_t largest;   /* bytes of the largest body that is being sent; UINT64_MAX: to be looked for in the file */
    bool no_sync;
};

/* ---- routes ----------------------------------------------------------------------------------- */

static void forget_topics(mq_topic *topic)
{
    for (size_t i = 0; i < topic->known_count; i++)
        bindings_release(&topic->known[i].bindings);
    free(topic->known);
    topic->known = NULL;
    topic->known_count = topic->known_room = 0;
}

static int read_topic(mq_topic *topic, int dir, const char *name)
{
    char problem[BINDINGS_PROBLEM_SIZE];
    if (!GROW(topic->known, topic->known_count + 1, topic->known_room))
        return -ENOMEM;
    struct known *known = &topic->known[topic->known_count];
    *known = (struct known){0};
    strcpy(known->name, name);
    int error = topic_read_bindings(dir, &known->bindings, problem);
    if (!error)
        error = topic_read_unroutable(dir, &known->topic);
    if (error)
        bindings_release(&known->bindings);
    topic->known_count += !error;
    return error;
}

/* What is read stays until the publication ends: so all its messages go by the same bindings. */
static int look(void *context, const char *name, struct route_topic *ret_topic)
{
    mq_topic *topic = context;
    for (size_t i = 0; i < topic->known_count; i++)
        if (strcmp(topic->known[i].name, name) == 0) {
            *ret_topic = topic->known[i].topic;
            ret_topic->bindings = &topic->known[i].bindings;
            return 1;
        }
    const int dir = topic_open_dir(topic->spool, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = read_topic(topic, dir, name);
    close(dir);
    return error ? error : look(context, name, ret_topic);
}

static int find_route(mq_topic *topic, const mq_message *message, struct route *ret_route)
{
    const struct route_query query = {.key = mq_message_header(message, MQ_ROUTING_KEY), .message = message};
    return route_find(ret_route, topic->name, &query, look, topic);
}

int mq_topic_route(mq_topic *topic, const mq_message *message, int (*each)(const char *queue, void *context),
                   void *context)
{
    struct route route = {0};
    int stop = find_route(topic, message, &route);
    stop = stop == 0 ? -ENXIO : stop < 0 ? stop : 0;
    for (size_t i = 0; i < route.queues.count && !stop; i++)
        stop = each(route.queues.list[i], context);
    route_release(&route);
    forget_topics(topic);
    return stop;
}

/* ---- handles ----------------------------------------------------------------------------------- */

static int take_draft(struct outlet *outlet, mq_queue *feed, struct draft *draft);

static int count_none(struct outlet *outlet, const mq_queue *feed, uint64_t *ret_count)
{
    (void)outlet;
    (void)feed;
    *ret_count = 0;
    return 0;
}

/* Whatever a queue's configuration may say of messages is said by those that they go to. */
static int open_feed(mq_topic *topic, int dir)
{
    mq_queue *feed = calloc(1, sizeof *feed);
    topic->feed = feed;
    if (!feed)
        return -ENOMEM;
    strcpy(feed->name, topic->name);
    feed->dir = feed->tmp = -1;
    for (int state = 0; state < MQ_STATES; state++)
        feed->target[state].dir = -1;
    config_default(&feed->config);
    feed->config.max_size = UINT64_MAX / 2;
    feed->sharing = ACCESS_PRIVATE;
    feed->rights = ACCESS_ALL;
    feed->names_drafts = true;
    feed->is_feed = true;
    feed->spool = topic->spool_path ? strdup(topic->spool_path) : NULL;
    if (topic->spool_path && !feed->spool)
        return -ENOMEM;
    feed->outlet = &topic->outlet;
    feed->dir = fs_open_dir(dir, "feed");
    return feed->dir < 0 ? feed->dir : page_create_private(&feed->page);
}

void mq_topic_close(mq_topic *topic)
{
    if (!topic)
        return;
    mq_close(topic->feed);
    forget_topics(topic);
    route_release(&topic->route);
    if (topic->spool >= 0)
        close(topic->spool);
    free(topic->spool_path);
    free(topic);
}

int mq_topic_open(const char *spool, const char *name, mq_topic **ret_topic)
{
    if (!mq_queue_name_is_valid(name))
        return -EINVAL;
    mq_topic *topic = calloc(1, sizeof *topic);
    if (!topic)
        return -ENOMEM;
    strcpy(topic->name, name);
    topic->outlet = (struct outlet){take_draft, count_none};
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

/* ---- queues ------------------------------------------------------------------------------------- */

static int open_destination(const mq_topic *topic, size_t number, mq_queue **ret_queue)
{
    mq_queue *queue;
    const int error = mq_open(topic->spool_path, topic->route.queues.list[number], MQ_CREATE, &queue);
    if (error)
        return error;
    if (queue->config.order) {
        mq_close(queue);
        return -EMEDIUMTYPE;
    }
    *ret_queue = queue;
    return 0;
}

/* ---- one file to several queues ------------------------------------------------------------------ */

/* How long the body is of the one message of a file: what is behind the first empty line. */
static int measure_body(const struct draft *draft, uint64_t *ret_size)
{
    char *text = malloc(HEADERS_READ);
    const ssize_t got = text ? io_read_at(draft->file.file, text, HEADERS_READ, 0) : -ENOMEM;
    const char *end = got > 0 ? memmem(text, (size_t)got, "\n\n", 2) : NULL;
    *ret_size = end ? draft->size - (uint64_t)(end + 2 - text) : draft->size;
    free(text);
    return got < 0 ? (int)got : 0;
}

static int check_size(const mq_topic *topic, const mq_queue *queue, const struct draft *draft)
{
    uint64_t size = topic->largest;
    const int error = size == UINT64_MAX ? measure_body(draft, &size) : 0;
    return error ? error : size > queue->config.max_size ? -EMSGSIZE : 0;
}

/* Into the transaction for one queue, as that has it: its ttl, its durability, its limits. */
static int take_for_queue(mq_topic *topic, mq_queue *queue, const struct draft *draft)
{
    struct draft own = *draft;
    const int64_t now = clock_now();
    if (!own.name.expires && queue->config.ttl)
        own.name.expires = name_time_after(now, queue->config.ttl);
    own.durable = queue->config.durable && !topic->no_sync;
    own.openings = queue->openings; /* it is the topic's file, and stays as it is */
    queue->outlet = &topic->tx->outlet;
    int error = queue_demand(queue, ACCESS_SEND);
    if (!error)
        error = check_size(topic, queue, draft);
    if (!error)
        error = publish_look_for_room(queue, &own);
    if (!error)
        error = topic->tx->outlet.take(&topic->tx->outlet, queue, &own);
    queue->outlet = NULL;
    return error;
}

/* A queue is open only for as long as it is its turn: there may be more of them than files may be open. */
static int take_draft(struct outlet *outlet, mq_queue *feed, struct draft *draft)
{
    mq_topic *topic = (mq_topic *)outlet;
    int error = 0;
    (void)feed;
    for (size_t i = 0; i < topic->route.queues.count && !error; i++) {
        mq_queue *queue;
        error = open_destination(topic, i, &queue);
        if (error)
            break;
        error = take_for_queue(topic, queue, draft);
        mq_close(queue);
    }
    return error;
}

/* ---- publications -------------------------------------------------------------------------------- */

/* What is sent: one message, several, or several bodies for one. */
struct load {
    mq_message *const *messages; /* one is sent by mq_send */
    const mq_message *model;
    const struct iovec *bodies;
    size_t count;
    const struct mq_send_options *options;
    char (*ids)[MQ_ID_SIZE];
};

static int send_to(mq_queue *queue, mq_tx *tx, const struct load *load)
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

/* To the one queue that gets it: several messages are still sent all or none. */
static int send_to_one(mq_topic *topic, mq_tx *tx, const struct load *load)
{
    mq_queue *queue;
    int error = open_destination(topic, 0, &queue);
    if (error)
        return error;
    error = send_to(queue, tx, load);
    mq_close(queue);
    return error;
}

static uint64_t largest_body(const struct load *load)
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

static int send_to_several(mq_topic *topic, mq_tx *tx, const struct load *load)
{
    topic->tx = tx;
    topic->largest = largest_body(load);
    topic->no_sync = load->options->no_sync;
    return send_to(topic->feed, NULL, load);
}

/* A transaction of its own for what must happen whole. */
static int send_whole(mq_topic *topic, const struct load *load)
{
    mq_tx *tx;
    int error = mq_tx_begin(topic->spool_path, 600 * CLOCK_SECOND, &tx);
    if (error)
        return error;
    error = topic->route.queues.count == 1 ? send_to_one(topic, tx, load) : send_to_several(topic, tx, load);
    if (!error)
        error = mq_tx_commit(tx);
    else
        (void)mq_tx_abort(tx); /* else its deadline does */
    mq_tx_free(tx);
    return error;
}

/* Messages that nobody gets have ids like the others. */
static void make_ids(const struct load *load)
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

/* Along the route that was found. */
static int send_along(mq_topic *topic, mq_tx *tx, const struct load *load)
{
    if (topic->route.queues.count == 0) { /* to be dropped */
        make_ids(load);
        return 0;
    }
    if (tx)
        return topic->route.queues.count == 1 ? send_to_one(topic, tx, load) : send_to_several(topic, tx, load);
    return topic->route.queues.count == 1 && load->count == 1 ? send_to_one(topic, NULL, load)
                                                              : send_whole(topic, load);
}

static int send_load(mq_topic *topic, mq_tx *tx, const mq_message *message, const struct load *load)
{
    int error = load->options->once ? -EOPNOTSUPP : find_route(topic, message, &topic->route);
    if (error >= 0)
        error = send_along(topic, tx, load);
    route_release(&topic->route);
    return error;
}

int mq_topic_send(mq_topic *topic, mq_tx *tx, mq_message *message, const struct mq_send_options *options, char *ret_id)
{
    char ids[1][MQ_ID_SIZE] = {""};
    const int error = send_load(topic, tx, message,
                                &(struct load){.messages = &message, .count = 1, .options = options, .ids = ids});
    forget_topics(topic);
    if (!error && ret_id)
        strcpy(ret_id, ids[0]);
    return error;
}

int mq_topic_send_bodies(mq_topic *topic, mq_tx *tx, const mq_message *message, const struct iovec *bodies,
                         size_t count, const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE],
                         size_t *ret_sent)
{
    const struct load load = {.model = message, .bodies = bodies, .count = count, .options = options, .ids = ret_ids};
    const int error = count > 0 ? send_load(topic, tx, message, &load) : 0;
    forget_topics(topic);
    *ret_sent = error ? 0 : count;
    return error;
}

static bool is_same_route(const struct route *one, const struct route *other)
{
    bool same = one->queues.count == other->queues.count;
    for (size_t i = 0; i < one->queues.count && same; i++)
        same = strcmp(one->queues.list[i], other->queues.list[i]) == 0;
    return same;
}

/* How many of the messages go where the first one goes, whose route is the topic's. */
static int count_together(mq_topic *topic, mq_message *const *messages, size_t count, size_t *ret_together)
{
    for (*ret_together = 1; *ret_together < count; ++*ret_together) {
        struct route route = {0};
        const int found = find_route(topic, messages[*ret_together], &route);
        const bool same = found >= 0 && is_same_route(&topic->route, &route);
        route_release(&route);
        if (found < 0 && found != -ENXIO)
            return found;
        if (!same)
            break;
    }
    return 0;
}

int mq_topic_send_batch(mq_topic *topic, mq_tx *tx, mq_message *const *messages, size_t count,
                        const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    size_t sent = 0, together;
    int error = 0;
    while (sent < count && !error) {
        struct load load = {.messages = messages + sent, .options = options, .ids = ret_ids ? ret_ids + sent : NULL};
        error = find_route(topic, messages[sent], &topic->route);
        if (error >= 0)
            error = count_together(topic, messages + sent, count - sent, &together);
        if (!error) {
            load.count = together;
            error = send_along(topic, tx, &load);
        }
        route_release(&topic->route);
        sent += error ? 0 : together;
    }
    forget_topics(topic);
    *ret_sent = sent;
    return error;
}
