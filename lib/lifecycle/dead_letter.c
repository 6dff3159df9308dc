/* Dead letters: making them, and giving them another try. */
#include "lifecycle/dead_letter.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/browse.h"
#include "base/clock.h"
#include "base/fs.h"
#include "queue/failures.h"
#include "queue/move.h"
#include "queue/split.h"

static struct message_name dead_name(const struct message_name *name, const char *reason, int64_t now)
{
    struct message_name dead = *name;
    dead.time = now;
    name_escape_reason(reason, dead.reason);
    return dead;
}

/* The toolkit's own reasons that are counted each; whatever else a dead letter says was said by who rejected it. */
static enum mq_death cause(const char *reason)
{
    static const char *const reasons[MQ_DEATHS] = {
        [MQ_DEATH_REJECTED] = "rejected",
        [MQ_DEATH_MAX_ATTEMPTS] = "max-attempts",
        [MQ_DEATH_EXPIRED] = "expired",
        [MQ_DEATH_CORRUPT] = "corrupt",
    };
    for (int death = 0; death < MQ_DEATHS; death++)
        if (strcmp(reason, reasons[death]) == 0)
            return (enum mq_death)death;
    return MQ_DEATH_REJECTED;
}

static int count(mq_queue *queue, int moved, const struct message_name *dead)
{
    if (moved == 1) {
        page_count(queue->page, PAGE_DIED, dead->count);
        page_count(queue->page, PAGE_DEATHS + cause(dead->reason), dead->count);
    }
    return moved;
}

int dead_letter_make_whole(mq_queue *queue, enum mq_state state, int dir, const char *file,
                           const struct message_name *name, const char *reason, int64_t now)
{
    const struct message_name dead = dead_name(name, reason, now);
    return count(queue, move_message(queue, state, dir, file, MQ_DEAD, &dead), &dead);
}

int dead_letter_take_in(mq_queue *queue, int dir, const char *file, const struct message_name *name, const char *reason,
                        int64_t now)
{
    const struct message_name dead = dead_name(name, reason, now);
    return count(queue, move_in(queue, dir, file, MQ_DEAD, &dead), &dead);
}

/* All but the last one of a batch, whose name `rest` and `file` then are. 1 done, 0 somebody else was at it. */
static int make_all_but_last(mq_queue *queue, enum mq_state state, int dir, char file[NAME_SIZE],
                             struct message_name *rest, const char *reason, int64_t now)
{
    while (rest->count > 1) {
        struct split split;
        int done = split_off(queue, state, dir, file, rest, &split);
        if (done != 1)
            return done;
        const struct message_name dead = dead_name(&split.part, reason, now);
        done = count(queue, split_take(queue, &split, MQ_DEAD, &dead), &dead);
        if (done != 1)
            return done;
        *rest = split.rest;
        name_format(state, rest, file);
        rest->split = false; /* it is finished */
    }
    return 1;
}

int dead_letter_make(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     const char *reason, int64_t now)
{
    char last_file[NAME_SIZE];
    struct message_name last = *name;
    snprintf(last_file, sizeof last_file, "%s", file);
    int done = split_finish(queue, state, &last);
    if (!done)
        done = make_all_but_last(queue, state, dir, last_file, &last, reason, now);
    if (done == -EBADMSG || done == -EAGAIN)
        return dead_letter_make_corrupt(queue, state, dir, last_file, &last, now);
    if (done != 1)
        return done;
    const struct message_name dead = dead_name(&last, reason, now);
    return count(queue, move_message(queue, state, dir, last_file, MQ_DEAD, &dead), &dead);
}

/* How often the other queue may be deleted meanwhile, before we give up. */
#define TRIES 10
#define RETRY_AGAIN 2

/* ---- another try ------------------------------------------------------------------ */

/* A second life: no attempts, no reason, and no expiry, which would end it at once. */
static struct message_name revive(const struct message_name *dead)
{
    struct message_name name = *dead;
    name.attempts = 0;
    name.expires = 0;
    name.reason[0] = '\0';
    (void)name_mark_retried(&name); /* else a sweep removes what was kept */
    return name;
}

/* The other queue was being deleted meanwhile: what is still where it was put becomes a dead letter again. */
static int take_back(const struct browse_place *place, mq_queue *to, const struct message_name *name, int error)
{
    char file[NAME_SIZE];
    name_format(MQ_READY, name, file);
    const int moved = fs_rename(to->target[MQ_READY].dir, file, place->dir, place->file);
    return moved == -ENOENT ? 1 : moved ? moved : error ? error : RETRY_AGAIN;
}

static int retry(mq_queue *queue, const struct browse_place *place, mq_queue *to)
{
    struct message_name name = revive(&place->name);
    if (strcmp(to->name, queue->name) == 0)
        return move_message(queue, MQ_DEAD, place->dir, place->file, MQ_READY, &name);
    name.position = page_next_positions(to->page, name.priority, name.count, clock_now());
    const int moved = move_to_queue(queue, MQ_DEAD, place->dir, place->file, to, &name);
    const int has = moved == 1 ? queue_has_name(to) : 1;
    if (has != 1)
        return take_back(place, to, &name, has);
    if (moved == 1)
        failures_forget(queue, MQ_DEAD, &place->name);
    return moved;
}

int mq_entry_retry(mq_queue *queue, const struct mq_entry *entry, mq_queue *to)
{
    struct browse_place place = {0};
    if (entry->state != MQ_DEAD)
        return -EINVAL;
    int found = queue_demand(queue, ACCESS_ALL);
    if (!found)
        found = queue_demand(to, ACCESS_ALL);
    if (!found)
        found = queue_refresh(queue);
    if (!found && to != queue)
        found = queue_refresh(to);
    if (!found)
        found = browse_find(queue, entry, &place);
    if (found != 1)
        return found;
    int moved = retry(queue, &place, to);
    for (int tries = 0; tries < TRIES && (moved == RETRY_AGAIN || moved == -ENOENT); tries++) {
        const int opened = queue_reopen(to);
        moved = opened ? opened : retry(queue, &place, to);
    }
    close(place.dir);
    if (moved == RETRY_AGAIN)
        return -EBUSY;
    if (moved == 1)
        page_count(queue->page, PAGE_RETRIED, place.name.count);
    return moved;
}
