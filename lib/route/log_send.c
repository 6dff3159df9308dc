/*
 * Sending to logs: drafts are written in the log's tmp/, as for a queue, and then appended, or put into a transaction.
 */
#include "route/log_send.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/message.h"
#include "lifecycle/draft.h"
#include "lifecycle/log_tidy.h"
#include "lifecycle/outbox.h"
#include "log/append.h"
#include "route/log_once.h"
#include "txn/transaction.h"

#define CONFIG_EVERY CLOCK_SECOND
#define TRIM_AT_ONCE 4 /* buckets that one append removes at most */
#define BATCH_MOST 16  /* files of one call */

/* ---- the handle ---------------------------------------------------------------------------- */

static void look(mq_log *log)
{
    bool left;
    (void)outbox_finish_all(log->spool, OUTBOX_LATER, OUTBOX_NO_TIME, &left);
}

int mq_log_open(const char *spool, const char *name, mq_log **ret_log)
{
    const int error = log_open(spool, name, ret_log);
    if (!error)
        (*ret_log)->look = look;
    return error;
}

/* ---- drafts -------------------------------------------------------------------------------- */

struct draft_source {
    struct log_source source; /* the first */
    mq_queue *feed;
    struct draft *draft;
};

static int link_draft(const struct log_source *source, int dir, const char *name)
{
    const struct draft_source *own = (const struct draft_source *)source;
    return draft_link(own->feed, own->draft, dir, name);
}

/* The content of a durable draft is on the disk, or comes there before its name. */
static int append_draft(mq_log *log, mq_queue *feed, struct draft *draft)
{
    const struct draft_source source = {{link_draft, draft->name.count, draft->durable}, feed, draft};
    const int error = log_give_to_owner(log, draft->file.file);
    return error ? error : log_append(log, &source.source);
}

static int take_draft(struct outlet *outlet, mq_queue *feed, struct draft *draft)
{
    mq_log *log = (mq_log *)outlet;
    if (!log->tx)
        return append_draft(log, feed, draft);
    const int error = log_give_to_owner(log, draft->file.file);
    return error ? error : transaction_take_for_log(log->tx, log, feed, draft);
}

static int heal(struct outlet *outlet)
{
    const mq_log *log = (mq_log *)outlet;
    const int has = log_has_name(log);
    return has == 1 ? log_heal(log->dir) : has < 0 ? has : -ENOENT;
}

static int open_feed(mq_log *log)
{
    log->outlet = (struct outlet){.take = take_draft, .heal = heal, .wants_content = true, .once = &log_once};
    const int error = queue_open_feed(log->spool, log->name, fs_open_dir(log->dir, "."), &log->outlet, &log->feed);
    if (error)
        return error;
    log->feed->counts_entries = true;
    log->feed->identity = log->identity;
    log->feed->identified = true;
    return 0;
}

/* ---- sending --------------------------------------------------------------------------------- */

/* A log keeps one order, and removes what it has kept long enough: a message has no say in it. */
static bool is_for_queues(const mq_log *log, const mq_message *message)
{
    return message->delay || message->due ||
           (!log->is_indirect && (message->ttl || message->name.expires ||
                                  message->name.priority != MQ_PRIORITY_DEFAULT || name_max_attempts(&message->name)));
}

int log_send_refresh(mq_log *log)
{
    if (clock_monotonic() - log->config_read_at < CONFIG_EVERY)
        return 0;
    log_look_at_outbox(log);
    return log_read_config(log);
}

static int begin(mq_log *log, mq_tx *tx, const struct mq_send_options *options)
{
    int error = options->once && tx ? -EOPNOTSUPP : log->feed ? 0 : open_feed(log);
    if (!error && options->once)
        error = queue_learn_clock(log->feed);
    if (!error)
        error = log_send_refresh(log);
    if (error)
        return error;
    log->feed->config.durable = log->config.durable;
    log->feed->config.max_size = log->config.max_size;
    log->feed->config.dedup_window = log->config.dedup_window;
    log->tx = tx;
    log->run_count = 0;
    log->began_bucket = false;
    return 0;
}

/* What was appended is made durable, and counts only if the log was not deleted. */
static int conclude(mq_log *log)
{
    uint64_t removed;
    int error = log->tx ? 0 : log_sync(log);
    const int has = error || log->run_count == 0 ? 1 : log_has_name(log);
    if (!error && has != 1)
        error = has < 0 ? has : -ENOENT;
    if (!error && log->began_bucket)
        (void)log_tidy(log->spool, log->name, log->dir, TRIM_AT_ONCE,
                       &removed); /* the messages are sent, whatever comes of this */
    log->tx = NULL;
    return error;
}

/* Those of what is sent once are told when it is appended. */
static void begin_once(mq_log *log, const struct mq_send_options *options, size_t count, uint64_t *ret_offsets,
                       const size_t *sent)
{
    for (size_t i = 0; i < count && ret_offsets && options->once; i++)
        ret_offsets[i] = MQ_NO_OFFSET;
    if (options->once)
        log_once_begin(log, log->config.durable && !options->no_sync, ret_offsets, sent);
}

static void tell_offsets(const mq_log *log, size_t count, uint64_t *ret_offsets)
{
    size_t told = 0;
    for (size_t run = 0; run < log->run_count && ret_offsets; run++)
        for (uint32_t i = 0; i < log->runs[run].count && told < count; i++)
            ret_offsets[told++] = log->runs[run].offset + i;
    while (told < count && ret_offsets)
        ret_offsets[told++] = MQ_NO_OFFSET;
}

int mq_log_send(mq_log *log, mq_tx *tx, mq_message *message, const struct mq_send_options *options, char *ret_id,
                uint64_t *ret_offset)
{
    char id[MQ_ID_SIZE];
    const size_t sent = 0;
    int error = is_for_queues(log, message) ? -EOPNOTSUPP : begin(log, tx, options);
    if (error)
        return log_explain(log, error);
    begin_once(log, options, 1, ret_offset, &sent);
    error = mq_send(log->feed, message, options, id);
    const int concluded = conclude(log);
    if (error || concluded)
        return log_explain(log, error ? error : concluded);
    if (ret_id)
        strcpy(ret_id, id);
    if (!options->once)
        tell_offsets(log, 1, ret_offset);
    return 0;
}

/* After an error of the sync or a deletion none of the messages counts as sent. */
static int conclude_many(mq_log *log, const struct mq_send_options *options, int sent_error, uint64_t *ret_offsets,
                         size_t *sent)
{
    const int error = conclude(log);
    if (error)
        *sent = 0;
    if (!options->once)
        tell_offsets(log, *sent, ret_offsets);
    return log_explain(log, error ? error : sent_error);
}

int mq_log_send_batch(mq_log *log, mq_tx *tx, mq_message *const *messages, size_t count,
                      const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                      size_t *ret_sent)
{
    size_t fit = 0;
    *ret_sent = 0;
    while (fit < count && !is_for_queues(log, messages[fit]))
        fit++;
    int error = begin(log, tx, options);
    if (error)
        return error;
    begin_once(log, options, fit, ret_offsets, ret_sent);
    error = mq_send_batch(log->feed, messages, fit, options, ret_ids, ret_sent);
    return conclude_many(log, options, error || fit == count ? error : -EOPNOTSUPP, ret_offsets, ret_sent);
}

int mq_log_send_bodies(mq_log *log, mq_tx *tx, const mq_message *message, const struct iovec *bodies, size_t count,
                       const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], uint64_t *ret_offsets,
                       size_t *ret_sent)
{
    *ret_sent = 0;
    int error = is_for_queues(log, message) ? -EOPNOTSUPP : begin(log, tx, options);
    if (error)
        return error;
    begin_once(log, options, count, ret_offsets, ret_sent);
    error = mq_send_bodies(log->feed, message, bodies, count, options, ret_ids, ret_sent);
    return conclude_many(log, options, error, ret_offsets, ret_sent);
}

size_t mq_log_batch_most(const mq_log *log, const struct mq_send_options *options)
{
    struct config config;
    config_default(&config);
    const bool is_durable = log->config.durable && !options->no_sync;
    return (size_t)(options->batch ? options->batch : config.batch_count) * (is_durable ? BATCH_MOST : 1);
}

int mq_log_trim(mq_log *log, uint64_t *ret_removed)
{
    return log_tidy(log->spool, log->name, log->dir, LOG_ALL, ret_removed);
}
