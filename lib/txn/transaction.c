/*
 * Transactions: a directory in the outbox, until one rename decides it.
 *
 * Entries are linked or renamed into the directory through its descriptor, so that they share its fate. A link or rename
 * fails with ENOENT only if the directory was removed, and the transaction is over. The name of the directory changes
 * with the deadline: a process that does not find it under the name that it knew looks for it by its id.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "base/journal.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"
#include "lifecycle/settle.h"
#include "log/append.h"
#include "store/spool.h"
#include "txn/tally.h"
#include "txn/transaction.h"

/* How much later than a claim's deadline that of its transaction may be. */
#define DEADLINE_SLACK CLOCK_SECOND

/* ---- handles --------------------------------------------------------------------------------- */

static int take_draft(struct outlet *outlet, mq_queue *queue, struct draft *draft);
static int count_taken(struct outlet *outlet, const mq_queue *queue, struct outlet_load *ret_taken);

static void close_outbox(mq_tx *tx)
{
    if (tx->outbox >= 0)
        close(tx->outbox);
    if (tx->spool >= 0)
        close(tx->spool);
    tx->outbox = tx->spool = -1;
}

int transaction_open_outbox(mq_tx *tx, bool make)
{
    close_outbox(tx);
    tx->spool = spool_open(tx->spool_path, make);
    if (tx->spool < 0)
        return tx->spool;
    tx->outbox = outbox_open(tx->spool, make);
    return tx->outbox < 0 ? tx->outbox : 0;
}

void mq_tx_free(mq_tx *tx)
{
    if (!tx)
        return;
    handles_release(&tx->handles);
    if (tx->dir >= 0)
        close(tx->dir);
    close_outbox(tx);
    free(tx->spool_path);
    free(tx);
}

static int new_handle(const char *spool_path, bool make, mq_tx **ret_tx)
{
    mq_tx *tx = calloc(1, sizeof *tx);
    if (!tx)
        return -ENOMEM;
    *tx = (mq_tx){.outlet = {.take = take_draft, .count = count_taken}, .spool = -1, .outbox = -1, .dir = -1};
    tx->spool_path = spool_path ? strdup(spool_path) : NULL;
    const int error = spool_path && !tx->spool_path ? -ENOMEM : transaction_open_outbox(tx, make);
    if (error)
        mq_tx_free(tx);
    else
        *ret_tx = tx;
    return error;
}

int transaction_new(const char *spool_path, mq_tx **ret_tx)
{
    const int error = new_handle(spool_path, true, ret_tx);
    if (!error)
        (*ret_tx)->place.state = OUTBOX_ABORTED;
    return error;
}

static void set_place(mq_tx *tx, const struct outbox_place *place)
{
    tx->place = *place;
    tx->place.dir = tx->dir;
}

int transaction_begin_in(mq_tx *tx, int parent, const char *name)
{
    const int error = fs_make_dir(parent, name), dir = error ? error : fs_open_dir(parent, name);
    if (dir < 0)
        return dir;
    if (tx->dir >= 0)
        close(tx->dir);
    tx->dir = dir;
    tx->is_durable = tx->is_shared = false;
    return 0;
}

static int begin(mq_tx *tx, int64_t timeout)
{
    struct outbox_place place = {.state = OUTBOX_OPEN, .owner = geteuid()};
    int error = outbox_find_deadline(tx->outbox, &tx->fs_type, timeout, &place.deadline);
    if (error)
        return error;
    outbox_format_id(id_random(), place.id);
    outbox_format(OUTBOX_OPEN, place.id, place.deadline, place.name);
    error = transaction_begin_in(tx, tx->outbox, place.name);
    if (!error)
        set_place(tx, &place);
    return error;
}

int mq_tx_begin(const char *spool, int64_t timeout, mq_tx **ret_tx)
{
    mq_tx *tx;
    if (timeout <= 0)
        return -EINVAL;
    int error = new_handle(spool, true, &tx);
    if (error)
        return error;
    error = begin(tx, timeout);
    if (error)
        mq_tx_free(tx);
    else
        *ret_tx = tx;
    return error;
}

/* What has become of it; the name that an open one has now is kept. 1 it is open, -ESTALE it is decided or gone. */
static int look_again(mq_tx *tx)
{
    struct outbox_place place;
    const int found = outbox_find(tx->outbox, tx->place.id, &place);
    if (found < 0)
        return found;
    if (found == 0)
        return -ESTALE;
    set_place(tx, &place);
    return place.state == OUTBOX_OPEN ? 1 : -ESTALE;
}

/* It may be extended between our finding and our opening it. */
static int open_found(mq_tx *tx, const char *id)
{
    strcpy(tx->place.id, id);
    for (;;) {
        const int found = look_again(tx);
        if (found < 0)
            return found;
        if (tx->place.owner != geteuid())
            return -EPERM;
        tx->dir = tx->place.dir = fs_open_dir(tx->outbox, tx->place.name);
        if (tx->dir != -ENOENT)
            return tx->dir < 0 ? tx->dir : 0;
    }
}

int mq_tx_open(const char *spool, const char *id, mq_tx **ret_tx)
{
    mq_tx *tx;
    if (!outbox_is_id(id))
        return -EINVAL;
    int error = new_handle(spool, false, &tx);
    if (error)
        return error;
    error = open_found(tx, id);
    if (error) {
        const bool was_decided = tx->place.state != OUTBOX_OPEN;
        mq_tx_free(tx);
        return error == -ESTALE && !was_decided ? -ENOENT : error;
    }
    tx->is_shared = true;
    *ret_tx = tx;
    return 0;
}

/* The outbox may be another one meanwhile. */
int mq_tx_renew(mq_tx *tx, int64_t timeout)
{
    if (timeout <= 0)
        return -EINVAL;
    const int open = tx->place.state == OUTBOX_OPEN ? look_again(tx) : -ESTALE;
    if (open != -ESTALE)
        return open < 0 ? open : -EBUSY;
    tx->place.state = OUTBOX_ABORTED; /* over, however it ended */
    int error = begin(tx, timeout);
    if (error == -ENOENT && (error = transaction_open_outbox(tx, true)) == 0)
        error = begin(tx, timeout);
    return error;
}

const char *mq_tx_id(mq_tx *tx)
{
    tx->is_shared = true;
    return tx->place.id;
}

/* ---- messages -------------------------------------------------------------------------------- */

/* A number that grows with each entry, of whichever process. */
uint64_t transaction_number(mq_tx *tx)
{
    const uint64_t now = name_position((uint64_t)clock_now(), 0);
    tx->number = tx->number < now ? now : tx->number + 1;
    return tx->number;
}

/* The queue's handle is used to carry out the transaction, too, if it is in the same spool. */
static void keep_handle(mq_tx *tx, mq_queue *queue)
{
    const char *spool = queue->spool, *own = tx->spool_path;
    if (spool == own || (spool && own && strcmp(spool, own) == 0))
        handles_keep(&tx->handles, queue);
}

static int link_in(mq_tx *tx, mq_queue *queue, struct draft *draft, struct outbox_entry *entry)
{
    char text[NAME_SIZE];
    int error = -EEXIST;
    while (error == -EEXIST) {
        entry->name.position = transaction_number(tx);
        error = outbox_format_entry(entry, text);
        if (!error)
            error = draft_link(queue, draft, tx->dir, text);
    }
    return error == -ENOENT ? -ESTALE : error;
}

/* The announcement comes first: if this process dies, a process that receives from the queue looks. */
static int take_draft(struct outlet *outlet, mq_queue *queue, struct draft *draft)
{
    mq_tx *tx = (mq_tx *)outlet;
    struct outbox_entry entry = {.kind = draft->durable ? OUTBOX_DURABLE_OUTPUT : OUTBOX_OUTPUT, .name = draft->name};
    strcpy(entry.queue, mq_queue_name(queue));
    if (draft->state == MQ_READY)
        entry.name.time = 0;
    if (queue->config.order) { /* names are in order of time, and a delayed message keeps its place */
        entry.name.due = entry.name.time;
        entry.name.time = 0;
    }
    const int synced = draft->durable && !draft->synced ? fs_sync_ahead(draft->file.file, &queue->order) : 0;
    if (synced < 0)
        return synced;
    draft->synced |= draft->durable; /* of many names of one file the first one's does */
    tx->is_durable |= draft->durable;
    page_announce_outbox(queue->page, queue_now(queue));
    keep_handle(tx, queue);
    return link_in(tx, queue, draft, &entry);
}

/* Names for logs tell where to look whether they have been appended: an offset that the log has now. */
int transaction_take_for_log(mq_tx *tx, mq_log *log, mq_queue *feed, struct draft *draft)
{
    struct outbox_entry entry = {.kind = draft->durable ? OUTBOX_DURABLE_LOG_OUTPUT : OUTBOX_LOG_OUTPUT,
                                 .name = draft->name};
    strcpy(entry.queue, mq_log_name(log));
    entry.name.time = entry.name.due = entry.name.expires = 0;
    entry.name.priority = MQ_PRIORITY_DEFAULT;
    int error = draft->durable && !draft->synced ? fs_sync_ahead(draft->file.file, &feed->order) : 0;
    if (error >= 0)
        error = log_reached(log, &entry.end);
    if (!error)
        error = log_mark_output(log);
    if (error)
        return error;
    draft->synced |= draft->durable;
    tx->is_durable |= draft->durable;
    return link_in(tx, feed, draft, &entry);
}

static int count_taken(struct outlet *outlet, const mq_queue *queue, struct outlet_load *ret_taken)
{
    const mq_tx *tx = (const mq_tx *)outlet;
    struct tally tally = {.queue = mq_queue_name(queue), .sized = queue->config.max_bytes > 0 ? tx->dir : -1};
    const int error = fs_list_at(tx->dir, ".", tally_add, &tally);
    *ret_taken = (struct outlet_load){tally.messages, tally.bytes};
    return error;
}

int mq_tx_send(mq_tx *tx, mq_queue *queue, mq_message *message, const struct mq_send_options *options, char *ret_id)
{
    queue->outlet = &tx->outlet;
    const int error = mq_send(queue, message, options, ret_id);
    queue->outlet = NULL;
    return error;
}

int mq_tx_send_batch(mq_tx *tx, mq_queue *queue, mq_message *const *messages, size_t count,
                     const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    queue->outlet = &tx->outlet;
    const int error = mq_send_batch(queue, messages, count, options, ret_ids, ret_sent);
    queue->outlet = NULL;
    return error;
}

int mq_tx_send_bodies(mq_tx *tx, mq_queue *queue, const mq_message *message, const struct iovec *bodies, size_t count,
                      const struct mq_send_options *options, char (*ret_ids)[MQ_ID_SIZE], size_t *ret_sent)
{
    queue->outlet = &tx->outlet;
    const int error = mq_send_bodies(queue, message, bodies, count, options, ret_ids, ret_sent);
    queue->outlet = NULL;
    return error;
}

/* ---- deadlines and decisions ------------------------------------------------------------------ */

/* Rename the directory, whatever it is called by now. -ESTALE: it is decided, also if this handle did so and the directory
   is still there, since not all of it could be carried out. */
static int rename_directory(mq_tx *tx, enum outbox_state state, int64_t deadline)
{
    char name[OUTBOX_NAME_SIZE];
    outbox_format(state, tx->place.id, deadline, name);
    int error = 0;
    if (tx->place.state != OUTBOX_OPEN)
        return -ESTALE;
    do {
        if (strcmp(name, tx->place.name) == 0)
            return 0;
        error = fs_rename_unique(tx->outbox, tx->place.name, tx->outbox, name);
    } while (error == -ENOENT && (error = look_again(tx)) == 1);
    if (error)
        return error;
    tx->place.state = state;
    tx->place.deadline = deadline;
    strcpy(tx->place.name, name);
    return 0;
}

int mq_tx_extend(mq_tx *tx, int64_t timeout)
{
    int64_t deadline;
    const int error = timeout <= 0 ? -EINVAL : outbox_find_deadline(tx->outbox, &tx->fs_type, timeout, &deadline);
    return error ? error : rename_directory(tx, OUTBOX_OPEN, deadline);
}

/* What other processes put in is known by its names. */
static int is_durable(const mq_tx *tx)
{
    struct tally tally = {.sized = -1, .is_durable = tx->is_durable};
    const int error = tx->is_shared && !tx->is_durable ? fs_list_at(tx->dir, ".", tally_add, &tally) : 0;
    return error ? error : tally.is_durable;
}

static bool keeps_order(const mq_tx *tx)
{
    return tx->fs_type ? journal_of_type_keeps_order(tx->fs_type, tx->dir) : journal_keeps_order(tx->dir);
}

/* On a single journal one sync of the outbox, when the directory has its new name, makes all that came before it durable;
   elsewhere the entries are synced before they are decided. The outbox's own name is synced once. */
int transaction_sync_before(const mq_tx *tx)
{
    const int error = fs_is_persisted(tx->outbox) ? 0 : fs_persist_dir(tx->spool, tx->outbox);
    return error || keeps_order(tx) ? error : fs_sync(tx->dir);
}

/* What is decided cannot be taken back: other processes may have begun to carry it out. If its sync fails it is carried
   out all the same, but by others where the journal keeps no order. */
int transaction_conclude(mq_tx *tx, bool durable)
{
    const int error = durable ? fs_sync(tx->outbox) : 0;
    tx->place.is_synced = durable && !error;
    if (!error || keeps_order(tx))
        (void)outbox_finish(tx->spool_path, tx->outbox, &tx->place,
                            &tx->handles); /* if this fails, another process carries it out */
    return error ? -EINPROGRESS : 0;
}

int mq_tx_commit(mq_tx *tx)
{
    const int durable = is_durable(tx);
    int error = durable < 0 ? durable : durable ? transaction_sync_before(tx) : 0;
    if (!error)
        error = rename_directory(tx, OUTBOX_COMMITTED, 0);
    return error ? error : transaction_conclude(tx, durable);
}

int mq_tx_abort(mq_tx *tx)
{
    const int error = rename_directory(tx, OUTBOX_ABORTED, 0);
    if (!error)
        (void)outbox_finish(tx->spool_path, tx->outbox, &tx->place, &tx->handles);
    return error;
}

/* ---- claims ------------------------------------------------------------------------------------- */

struct taking {
    mq_tx *tx;
    unsigned flags;
};

static int act_take(mq_queue *queue, const struct claim *claim, const void *argument)
{
    const struct taking *taking = argument;
    mq_tx *tx = taking->tx;
    char text[NAME_SIZE];
    struct outbox_entry entry = {.kind = taking->flags & MQ_TX_ONCE ? OUTBOX_INPUT_ONCE : OUTBOX_INPUT,
                                 .name = claim->name};
    strcpy(entry.queue, mq_queue_name(queue));
    entry.name.time = claim->name.begun;
    int error = outbox_format_entry(&entry, text);
    if (!error && tx->place.deadline - claim->name.time > DEADLINE_SLACK)
        error = rename_directory(tx, OUTBOX_OPEN, claim->name.time);
    if (error)
        return error;
    page_announce_outbox(queue->page, queue_now(queue));
    keep_handle(tx, queue);
    error = fs_rename_unique(claim->dir, claim->file, tx->dir, text);
    return error == -ENOENT ? 0 : error ? error : 1;
}

int mq_tx_take(mq_tx *tx, mq_queue *queue, const char *receipt, unsigned flags)
{
    return settle_claim(queue, receipt, act_take, &(struct taking){tx, flags});
}

/* ---- looking ------------------------------------------------------------------------------------ */

struct listing_walk {
    int outbox;
    int64_t ahead; /* this host's clock */
    int (*each)(const struct mq_tx_entry *entry, void *context);
    void *context;
};

static int show(void *context, const struct outbox_place *place)
{
    const struct listing_walk *walk = context;
    struct tally tally = {.sized = -1};
    const int error = fs_list_at(walk->outbox, place->name, tally_add, &tally);
    if (error == -ENOENT)
        return 0;
    if (error && error != -EACCES)
        return error;
    return walk->each(&(struct mq_tx_entry){.id = place->id,
                                            .state = (enum mq_tx_state)place->state,
                                            .deadline = place->deadline ? place->deadline + walk->ahead : 0,
                                            .owner = place->owner,
                                            .messages = tally.messages,
                                            .claims = tally.claims,
                                            .files = tally.files},
                      walk->context);
}

int mq_tx_list(const char *spool_path, int (*each)(const struct mq_tx_entry *entry, void *context), void *context)
{
    struct listing_walk walk = {.each = each, .context = context};
    const int spool = spool_open(spool_path, false);
    walk.outbox = spool < 0 ? spool : outbox_open(spool, false);
    if (spool >= 0)
        close(spool);
    if (walk.outbox < 0)
        return walk.outbox == -ENOENT ? 0 : walk.outbox;
    int64_t now;
    const int error = outbox_find_time(walk.outbox, &(unsigned long){0}, &now);
    walk.ahead = error ? 0 : clock_now() - now; /* a user who may only look does not get to know it */
    const int stop = outbox_walk(walk.outbox, show, &walk);
    close(walk.outbox);
    return stop;
}

int mq_tx_finish(const char *spool)
{
    bool left;
    return outbox_finish_all(spool, OUTBOX_AT_ONCE, OUTBOX_NO_TIME, &left);
}
