/* Publishing a draft in a lane of an ordered queue. */
#include "lifecycle/publish_lane.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "lane/lane.h"
#include "lane/lane_withdraw.h"
#include "store/lane_dir.h"

/* The queue may be deleted and made anew while this process uses it. After this many times publishing fails with -EBUSY. */
#define TRIES 100

struct link {
    mq_queue *queue;
    struct draft *draft;
};

static int link_draft(void *context, int dir, const char *file)
{
    const struct link *link = context;
    return draft_link(link->queue, link->draft, dir, file);
}

static int sync_link(mq_queue *queue, const struct draft *draft, int dir)
{
    int error = draft->synced ? 0 : fs_sync(draft->file.file);
    if (!error)
        error = fs_sync(dir);
    if (!error)
        error = lane_dir_persist(queue->dir, draft->lane, dir);
    return error ? error : queue_persist(queue);
}

/* 0 it is gone; -ENOENT: a receiver has it already. */
static int take_back(mq_queue *queue, struct draft *draft, int dir)
{
    char text[NAME_SIZE];
    name_format(MQ_READY, &draft->name, text);
    const int error = fs_unlink(dir, text);
    if (!error)
        lane_withdraw(queue, draft->lane, &draft->name);
    if (error != -ENOENT)
        reservation_cancel(queue, &draft->reservation);
    return error;
}

static void count(mq_queue *queue, struct draft *draft)
{
    reservation_commit(&draft->reservation);
    page_add_bytes(queue->page, (int64_t)draft->size);
    page_count(queue->page, PAGE_SENT, draft->name.count);
}

/* 1 done; 0 the queue has lost its name, and the draft is to go where the name is now. */
static int publish_once(mq_queue *queue, struct draft *draft)
{
    const struct reservation_wish wish = {draft->state, draft->name.count, draft->size};
    int dir;
    reservation_make(queue, &wish, &draft->reservation);
    int error = lane_put(queue, draft->lane, &draft->name, false, link_draft, &(struct link){queue, draft}, &dir);
    if (error) {
        reservation_cancel(queue, &draft->reservation);
        return error == -ENOENT ? 0 : error;
    }
    error = draft->durable ? sync_link(queue, draft, dir) : 0;
    const int has = queue_has_name(queue);
    error = has < 0 ? has : error;
    int done = error ? error : has;
    if (done != 1 && take_back(queue, draft, dir) == -ENOENT)
        done = 1;
    close(dir);
    if (done == 1)
        count(queue, draft);
    return done;
}

int publish_in_lane(mq_queue *queue, struct draft *draft)
{
    draft->name.due = draft->state == MQ_DELAYED ? draft->name.time : 0;
    for (int tries = 0; tries < TRIES; tries++) {
        const int done = publish_once(queue, draft);
        if (done)
            return done < 0 ? done : 0;
        const int error = draft_reopen(queue, draft);
        if (error)
            return error;
    }
    return -EBUSY;
}
