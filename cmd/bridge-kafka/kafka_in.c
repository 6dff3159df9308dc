/* In from a topic of Kafka. */
#include "bridge-kafka/kafka_in.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "bridge-kafka/record.h"
#include "bridge/incoming.h"
#include "cli/cli.h"

#define CLOSE_FOR (5 * CLOCK_SECOND)
#define COMMITTED_WITHIN 5000 /* milliseconds */
#define LOW_WITHIN 1000
#define MOST_BYTES ((size_t)8 << 20) /* in memory before they are sent here */
#define LONGEST_POLL (300 * CLOCK_SECOND)
#define MOST_POLL 86400 /* seconds; more is refused */

struct partition {
    int32_t number;
    bool is_ours;      /* assigned to this member of the group */
    bool is_at_end;    /* there was nothing more */
    uint64_t assigned; /* how often partitions had been assigned when this one was */
    int64_t position;  /* the offset that comes next; -1: unknown */
    int64_t next;      /* what comes before this offset is safe here, and not committed; -1: nothing */
};

/* The token of an item. */
struct place {
    int32_t partition;
    int64_t offset;
    uint64_t assigned;
};

struct kafka_in {
    struct kafka *kafka;
    char origin[RECORD_ORIGIN_SIZE];
    struct partition *partitions; /* all that were ever assigned */
    size_t count, room;
    uint64_t assigned;
    bool is_member; /* an assignment is in force, if only of no partition */
    rd_kafka_queue_t *incoming, *commits;
    bool is_committing;
    bool is_asked, waits;
    uint64_t most; /* that are asked for and have not come */
    size_t taken;  /* that have */
    size_t bytes;  /* in their bodies */
};

/* ---- partitions ------------------------------------------------------------------ */

static struct partition *find(struct kafka_in *in, int32_t number)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->partitions[i].number == number)
            return &in->partitions[i];
    return NULL;
}

static bool add_partition(struct kafka_in *in, int32_t number, int64_t position)
{
    struct partition *partition = find(in, number);
    if (!partition) {
        if (!GROW(in->partitions, in->count + 1, in->room))
            return false;
        partition = &in->partitions[in->count++];
    }
    *partition = (struct partition){
        .number = number, .is_ours = true, .assigned = in->assigned, .position = position, .next = -1};
    return true;
}

static void forget_all(struct kafka_in *in)
{
    for (size_t i = 0; i < in->count; i++) {
        in->partitions[i].is_ours = false;
        in->partitions[i].next = -1;
    }
    in->is_member = false;
}

static bool all_at_end(const struct kafka_in *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->partitions[i].is_ours && !in->partitions[i].is_at_end)
            return false;
    return in->is_member;
}

/* ---- offsets --------------------------------------------------------------------- */

static bool is_uncommitted(const struct kafka_in *in)
{
    for (size_t i = 0; i < in->count; i++)
        if (in->partitions[i].next >= 0)
            return true;
    return false;
}

/* Whether the group has changed, so that what was not committed comes again, and is a duplicate here. */
static bool is_of_group(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID || error == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
           error == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS || error == RD_KAFKA_RESP_ERR__ASSIGNMENT_LOST;
}

static void note_commit(rd_kafka_t *handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *offsets,
                        void *opaque)
{
    struct kafka_in *in = opaque;
    (void)handle;
    in->is_committing = false;
    for (int i = 0; !error && offsets && i < offsets->cnt; i++)
        error = offsets->elems[i].err;
    if (!error)
        kafka_heard(in->kafka);
    else if (is_of_group(error))
        cli_note(in->kafka->bridge->shown, "offsets are not committed: %s", rd_kafka_err2str(error));
    else if (error != RD_KAFKA_RESP_ERR__NO_OFFSET)
        in->kafka->fault = kafka_trouble(in->kafka, error);
}

/* Commit what is safe here, of partitions that are still ours; one commit at a time is on its way. */
static enum bridge_result commit(struct kafka_in *in)
{
    if (in->is_committing || !is_uncommitted(in))
        return BRIDGE_OK;
    rd_kafka_topic_partition_list_t *offsets = rd_kafka_topic_partition_list_new((int)in->count);
    for (size_t i = 0; i < in->count; i++)
        if (in->partitions[i].next >= 0) {
            rd_kafka_topic_partition_list_add(offsets, in->kafka->topic, in->partitions[i].number)->offset =
                in->partitions[i].next;
            in->partitions[i].next = -1;
        }
    const rd_kafka_resp_err_t error = rd_kafka_commit_queue(in->kafka->handle, offsets, in->commits, note_commit, in);
    rd_kafka_topic_partition_list_destroy(offsets);
    in->is_committing = !error;
    return error ? kafka_trouble(in->kafka, error) : BRIDGE_OK;
}

/* Where each partition goes on: where the group has come to, or at the beginning. */
static rd_kafka_resp_err_t assign(struct kafka_in *in, rd_kafka_topic_partition_list_t *partitions)
{
    rd_kafka_resp_err_t error = rd_kafka_committed(in->kafka->handle, partitions, COMMITTED_WITHIN);
    for (int i = 0; i < partitions->cnt && !error; i++) {
        rd_kafka_topic_partition_t *one = &partitions->elems[i];
        error = one->err;
        if (!error && !add_partition(in, one->partition, one->offset >= 0 ? one->offset : -1))
            error = RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (one->offset < 0)
            one->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    return error;
}

/* Called when the group gives partitions to this member, or takes all of them away. */
static void rebalance(rd_kafka_t *handle, rd_kafka_resp_err_t error, rd_kafka_topic_partition_list_t *partitions,
                      void *opaque)
{
    struct kafka_in *in = ((struct kafka *)opaque)->peer;
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        in->assigned++;
        error = assign(in, partitions);
        if (error)
            in->kafka->fault = kafka_trouble(in->kafka, error);
        in->is_member = !error;
        (void)rd_kafka_assign(handle, partitions);
        cli_note(in->kafka->bridge->shown, "%d partitions are assigned", partitions->cnt);
        return;
    }
    (void)commit(in);
    forget_all(in);
    (void)rd_kafka_assign(handle, NULL);
    cli_note(in->kafka->bridge->shown, "the group is balanced anew");
}

/* ---- a connection ---------------------------------------------------------------- */

/* A slow rate leaves the library alone for longer than a group waits for its members. */
static void longest_poll(const struct kafka_in *in, char *ret_text, size_t size)
{
    const int64_t interval = in->kafka->bridge->arguments->interval;
    const int64_t longest = (2 * interval + LONGEST_POLL) / CLOCK_SECOND;
    (void)snprintf(ret_text, size, "%" PRId64, (longest < MOST_POLL ? longest : MOST_POLL) * 1000);
}

static enum bridge_result join(struct kafka_in *in)
{
    rd_kafka_t *handle = in->kafka->handle;
    char *cluster = rd_kafka_clusterid(handle, 0);
    record_origin(cluster, in->kafka->topic, in->origin);
    rd_kafka_mem_free(handle, cluster);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, in->kafka->topic, RD_KAFKA_PARTITION_UA);
    (void)rd_kafka_poll_set_consumer(handle);
    in->incoming = rd_kafka_queue_get_consumer(handle);
    in->commits = rd_kafka_queue_new(handle);
    kafka_watch(in->kafka, in->incoming);
    kafka_watch(in->kafka, in->commits);
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(handle, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return error ? kafka_trouble(in->kafka, error) : BRIDGE_OK;
}

static enum bridge_result start(void *peer)
{
    struct kafka_in *in = peer;
    char longest[24];
    const char *const more[][2] = {
        {"group.id", in->kafka->group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"}, /* it is told: see check_gap */
        {"isolation.level", "read_committed"},
        {"enable.partition.eof", "true"},
        {"partition.assignment.strategy", "range,roundrobin"},
        {"session.timeout.ms", "6000"}, /* so long after a kill the others of the group wait */
        {"heartbeat.interval.ms", "1500"},
        {"max.poll.interval.ms", longest},
        {"check.crcs", "true"},
        {"receive.message.max.bytes", "1000000000"},
        {"queued.max.messages.kbytes", "16384"},
        {"fetch.error.backoff.ms", "50"},
        /* So long a broker waits before it says that there is nothing. */
        {"fetch.wait.max.ms", in->kafka->bridge->arguments->until_empty ? "50" : "500"},
        {NULL, NULL},
    };
    longest_poll(in, longest, sizeof longest);
    in->is_committing = in->is_asked = false;
    forget_all(in);
    rd_kafka_conf_t *settings = kafka_settings(in->kafka, more);
    if (!settings)
        return BRIDGE_FAILED;
    rd_kafka_conf_set_rebalance_cb(settings, rebalance);
    const enum bridge_result result = kafka_open(in->kafka, RD_KAFKA_CONSUMER, settings);
    return result == BRIDGE_OK ? join(in) : result;
}

static enum bridge_result ask(void *peer, uint64_t most, bool waits)
{
    struct kafka_in *in = peer;
    in->is_asked = true;
    in->waits = waits;
    in->most = most;
    in->taken = in->bytes = 0;
    return BRIDGE_OK;
}

/* ---- settling -------------------------------------------------------------------- */

static void tell_rejection(const struct kafka_in *in, const struct place *place)
{
    if (!cli_quiet)
        (void)cli_fail(STATUS_DONE, in->kafka->bridge->shown,
                       "partition %" PRId32 ": what is at offset %" PRId64 " is passed over", place->partition,
                       place->offset);
}

static void pass(struct kafka_in *in, const struct place *place)
{
    struct partition *partition = find(in, place->partition);
    if (partition && partition->is_ours && partition->assigned == place->assigned)
        partition->next = place->offset + 1;
}

static enum bridge_result settle(void *peer, enum incoming_end end, const struct incoming_item *items, size_t count,
                                 const char *words)
{
    struct kafka_in *in = peer;
    (void)words;
    if (end == INCOMING_RELEASE)
        return BRIDGE_OK; /* what is not committed comes again */
    for (size_t i = 0; i < count; i++) {
        const struct place *place = (const void *)items[i].token;
        if (end == INCOMING_REJECT)
            tell_rejection(in, place);
        pass(in, place);
    }
    return commit(in);
}

/* ---- what comes ------------------------------------------------------------------ */

static enum bridge_result out_of_memory(struct kafka_in *in)
{
    return bridge_trouble(in->kafka->bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
}

/* A record that no queue of mq could hold. */
static enum bridge_result refuse(struct kafka_in *in, const struct place *place, int error)
{
    char id[64];
    (void)snprintf(id, sizeof id, "what is at offset %" PRId64 " of partition %" PRId32, place->offset,
                   place->partition);
    (void)bridge_trouble(in->kafka->bridge, BRIDGE_OK, STATUS_FAILED, "its headers: %s", cli_reason(error));
    bridge_refused(in->kafka->bridge, id);
    pass(in, place);
    return BRIDGE_OK;
}

static enum bridge_result add_item(struct kafka_in *in, const rd_kafka_message_t *record, struct incoming_items *items)
{
    const struct place here = {record->partition, record->offset, find(in, record->partition)->assigned};
    mq_message *message = NULL;
    if (mq_message_new(&message) < 0)
        return out_of_memory(in);
    const int error = record_to_message(record, in->origin, message);
    if (error) {
        mq_message_free(message);
        return error == -ENOMEM ? out_of_memory(in) : refuse(in, &here, error);
    }
    struct place *place = malloc(sizeof *place);
    char *body = malloc(record->len + 1);
    struct incoming_item *item = place && body ? incoming_add(items) : NULL;
    if (!item) {
        free(place);
        free(body);
        mq_message_free(message);
        return out_of_memory(in);
    }
    *place = here;
    if (record->len > 0)
        memcpy(body, record->payload, record->len);
    mq_message_set_body(message, body, record->len);
    *item = (struct incoming_item){.message = message, .token = (char *)place, .record.decoded = body};
    in->taken++;
    in->bytes += record->len;
    return BRIDGE_OK;
}

/* Offsets are left out by compaction and by transactions, which is nothing. Where retention has removed them, or the topic
   is another one, messages were not carried. */
static void check_gap(struct kafka_in *in, const rd_kafka_message_t *record, int64_t expected)
{
    int64_t low = INT64_MAX, high;
    const bool is_unknown = rd_kafka_query_watermark_offsets(in->kafka->handle, in->kafka->topic, record->partition,
                                                             &low, &high, LOW_WITHIN) != RD_KAFKA_RESP_ERR_NO_ERROR;
    if (record->offset < expected || low > expected)
        (void)cli_fail(STATUS_DONE, in->kafka->bridge->shown,
                       "partition %" PRId32 ": offset %" PRId64 " %s gone, and what was there is not carried; going on "
                       "at %" PRId64,
                       record->partition, expected, is_unknown ? "may be" : "is", record->offset);
}

static enum bridge_result take_error(struct kafka_in *in, const rd_kafka_message_t *record)
{
    const enum bridge_result result = kafka_trouble(in->kafka, record->err);
    if (result == BRIDGE_FAILED || record->err == RD_KAFKA_RESP_ERR__FATAL)
        return result;
    /* The library goes on by itself. */
    cli_note(in->kafka->bridge->shown, "%s", rd_kafka_message_errstr(record));
    return BRIDGE_OK;
}

static enum bridge_result take(struct kafka_in *in, const rd_kafka_message_t *record, struct incoming_items *items)
{
    struct partition *partition = record->rkt ? find(in, record->partition) : NULL;
    const bool is_ours = partition && partition->is_ours;
    switch (record->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (is_ours)
            partition->is_at_end = true;
        kafka_heard(in->kafka);
        return BRIDGE_OK;
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        if (!is_ours)
            return BRIDGE_OK;
        if (partition->position >= 0 && partition->position != record->offset)
            check_gap(in, record, partition->position);
        partition->is_at_end = false;
        partition->position = record->offset + 1;
        kafka_heard(in->kafka);
        return add_item(in, record, items);
    default:
        return take_error(in, record);
    }
}

static bool has_enough(const struct kafka_in *in)
{
    return in->taken == in->most || in->bytes >= MOST_BYTES;
}

/* Take up to what was asked for. `ret_drained`: nothing more is there for now. */
static enum bridge_result take_all(struct kafka_in *in, struct incoming_items *items, bool *ret_drained)
{
    enum bridge_result result = BRIDGE_OK;
    *ret_drained = false;
    while (result == BRIDGE_OK && !has_enough(in) && !*ret_drained) {
        rd_kafka_message_t *record = rd_kafka_consumer_poll(in->kafka->handle, 0);
        *ret_drained = record == NULL;
        if (record) {
            result = take(in, record, items);
            rd_kafka_message_destroy(record);
        }
    }
    return result;
}

static enum bridge_result work(void *peer, struct incoming_items *items, bool *ret_answered, bool *ret_settled)
{
    struct kafka_in *in = peer;
    enum bridge_result result = BRIDGE_OK;
    bool is_drained = false;
    kafka_wake(in->kafka);
    (void)rd_kafka_queue_poll_callback(in->commits, 0);
    if (in->is_asked)
        result = take_all(in, items, &is_drained);
    if (result == BRIDGE_OK)
        result = commit(in);
    if (result == BRIDGE_OK)
        result = kafka_look(in->kafka);
    const bool is_empty = is_drained && !in->waits && all_at_end(in);
    *ret_answered = in->is_asked && (has_enough(in) || (is_drained && in->taken > 0) || is_empty ||
                                     bridge_is_ending(in->kafka->bridge));
    in->is_asked = in->is_asked && !*ret_answered;
    *ret_settled = !in->is_committing && !is_uncommitted(in);
    return result;
}

/* Leave the group, so that the others need not wait until it misses this member. */
static bool leave(struct kafka_in *in)
{
    const int64_t until = clock_monotonic() + CLOSE_FOR;
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(in->kafka->handle, in->commits);
    if (error) {
        rd_kafka_error_destroy(error);
        return false;
    }
    while (!rd_kafka_consumer_closed(in->kafka->handle) && clock_monotonic() < until) {
        rd_kafka_message_t *record = rd_kafka_consume_queue(in->commits, 50); /* and calls rebalance */
        if (record)
            rd_kafka_message_destroy(record);
    }
    return rd_kafka_consumer_closed(in->kafka->handle);
}

static enum bridge_result finish(void *peer, bool all_settled)
{
    struct kafka_in *in = peer;
    (void)all_settled;
    const bool may_leave = in->commits && !in->kafka->away_since, has_left = may_leave && leave(in);
    /* Without an answer from the group there is no end of a member that leaves: rd_kafka_destroy would wait for it. */
    if (may_leave && !has_left)
        in->kafka->handle = NULL;
    if (in->kafka->handle && in->commits) {
        rd_kafka_queue_destroy(in->incoming);
        rd_kafka_queue_destroy(in->commits);
    }
    in->incoming = in->commits = NULL;
    kafka_close(in->kafka, has_left ? 0 : RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return BRIDGE_OK;
}

static const struct inlet inlet = {.open = start, .ask = ask, .work = work, .settle = settle, .close = finish};

int kafka_in(struct kafka *kafka, const char *queue)
{
    struct kafka_in *in = cli_must(calloc(1, sizeof *in));
    in->kafka = kafka;
    kafka->peer = in;
    const int status = incoming_run(kafka->bridge, queue, &inlet, in);
    free(in->partitions);
    free(in);
    return status;
}
