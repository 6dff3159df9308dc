/* Finishing what is in the outbox of a spool. */
#include "lifecycle/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/as_user.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/spool_name.h"
#include "store/spool.h"

/* How long an owner that lives takes to carry out its own transaction. */
#define OWNER_TIME CLOCK_SECOND

/* ---- finishing ------------------------------------------------------------------------------ */

struct duty {
    const char *spool_path;
    int outbox;
    enum outbox_patience patience;
    int64_t now;
    int error;
    bool left;
    struct handles handles;
};

/* 1 it is ours to finish, 0 it is not yet, or others did it first. An open one past its deadline is aborted by the
   rename, which has one winner: a commit that comes later finds no such name. */
static int decide(struct duty *duty, struct outbox_place *place)
{
    if (place->state != OUTBOX_OPEN && duty->patience == OUTBOX_AT_ONCE)
        return 1;
    int error = duty->now == OUTBOX_NO_TIME ? outbox_find_time(duty->outbox, &(unsigned long){0}, &duty->now) : 0;
    if (error)
        return error;
    if (place->state != OUTBOX_OPEN)
        return duty->now - place->since >= OWNER_TIME;
    if (place->deadline > duty->now)
        return 0;
    char name[OUTBOX_NAME_SIZE];
    outbox_format(OUTBOX_ABORTED, place->id, 0, name);
    error = fs_rename(duty->outbox, place->name, duty->outbox, name);
    if (error)
        return error == -ENOENT ? 0 : error;
    place->state = OUTBOX_ABORTED;
    strcpy(place->name, name);
    return 1;
}

static int decide_and_finish(struct duty *duty, const struct outbox_place *place, struct handles *handles)
{
    struct outbox_place own = *place;
    const int decided = decide(duty, &own);
    return decided == 1 ? outbox_finish(duty->spool_path, duty->outbox, &own, handles) : decided;
}

/* Root finishes the transactions of others with their rights, and with handles that were opened with those. */
static int finish_as_owner(struct duty *duty, const struct outbox_place *place)
{
    struct as_user self;
    struct handles handles = {0};
    const int error = as_user_begin(place->owner, &self);
    if (error)
        return error;
    const int done = decide_and_finish(duty, place, &handles);
    handles_release(&handles);
    as_user_end(&self);
    return done;
}

/* What cannot be finished keeps nobody from the others. */
static int finish_one(void *context, const struct outbox_place *place)
{
    struct duty *duty = context;
    const uid_t user = geteuid();
    duty->left = true;
    if (place->owner != user && user != 0)
        return 0;
    const int done = place->owner == user ? decide_and_finish(duty, place, &duty->handles)
                                          : finish_as_owner(duty, place);
    if (done < 0 && place->owner == user && !duty->error)
        duty->error = done;
    return 0;
}

int outbox_finish_all(const char *spool_path, enum outbox_patience patience, int64_t now, bool *ret_left)
{
    struct duty duty = {.spool_path = spool_path, .patience = patience, .now = now};
    const int spool = spool_open(spool_path, false);
    duty.outbox = spool < 0 ? spool : outbox_open(spool, false);
    if (spool >= 0)
        close(spool);
    if (duty.outbox < 0) {
        *ret_left = false;
        return duty.outbox == -ENOENT ? 0 : duty.outbox;
    }
    const int error = outbox_walk(duty.outbox, finish_one, &duty);
    handles_release(&duty.handles);
    close(duty.outbox);
    *ret_left = duty.left || error;
    return error ? error : duty.error;
}

bool outbox_look(mq_queue *queue, int64_t now, bool receives)
{
    uint64_t duty;
    bool left;
    if (!receives && page_outbox_time(queue->page) == PAGE_OUTBOX_UNKNOWN)
        return false;
    if (!page_take_outbox(queue->page, now, &duty))
        return false;
    (void)outbox_finish_all(queue->spool, OUTBOX_LATER, now, &left);
    page_end_outbox(queue->page, duty, left);
    return left;
}
