/*
 * Transactions that are sent once: what is published to a topic by a sender that may do so again.
 *
 * The directory of one lies beside the drafts of the topic until it is renamed into the outbox. Any process of its user may
 * do that, so the queues are told before the rename, from the names in it: if that process dies after the rename, one
 * that receives from any of the queues carries the transaction out.
 */
#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "txn/transaction.h"

/* Another outbox may have taken the place of the one that is open. */
#define TRIES 2

/* A queue that is not there, or not this user's, is found out about when the transaction is carried out. */
static int announce(void *context, const char *file, unsigned char type)
{
    mq_tx *tx = context;
    struct outbox_entry entry;
    mq_queue *queue;
    (void)type;
    if (!outbox_parse_entry(file, &entry) || !outbox_is_output(entry.kind))
        return 0;
    tx->is_durable |= outbox_is_durable(entry.kind);
    if (handles_get(&tx->handles, tx->spool_path, entry.queue, &queue) == 0)
        page_announce_outbox(queue->page, queue_now(queue));
    return 0;
}

/* 1 it has its name in the outbox, 0 there is no such directory. */
static int move_to_outbox(mq_tx *tx, int parent, const char *name)
{
    struct outbox_place place = {.state = OUTBOX_COMMITTED, .owner = geteuid(), .dir = tx->dir};
    outbox_format_id(id_random(), place.id);
    outbox_format(OUTBOX_COMMITTED, place.id, 0, place.name);
    for (int tries = 0; tries < TRIES; tries++) {
        const int error = fs_rename_unique(parent, name, tx->outbox, place.name);
        tx->place = place;
        if (error != -ENOENT)
            return error ? error : 1;
        const int has = fs_has(parent, name), opened = has == 1 ? transaction_open_outbox(tx, true) : 0;
        if (has != 1 || opened)
            return has == 1 ? opened : has;
    }
    return -EBUSY;
}

int transaction_commit_from(mq_tx *tx, int parent, const char *name, bool sync)
{
    const int dir = outbox_open_own(parent, name, geteuid());
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir == -EACCES ? -EPERM : dir;
    if (tx->dir >= 0)
        close(tx->dir);
    tx->dir = dir;
    tx->is_durable = false;
    int moved = fs_list_at(dir, ".", announce, tx);
    if (!moved && tx->is_durable)
        moved = transaction_sync_before(tx);
    if (!moved)
        moved = move_to_outbox(tx, parent, name);
    if (moved == 1) {
        const int error = transaction_conclude(tx, tx->is_durable && sync);
        moved = error ? error : 1;
    }
    return moved;
}
