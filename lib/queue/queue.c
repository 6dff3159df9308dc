/* A queue's handle: opening it, and its page. */
#include "queue/queue.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "format/spool_name.h"
#include "queue/cursor.h"
#include "queue/lane_kept.h"
#include "queue/sent_slots.h"
#include "queue/wait.h"
#include "store/bucket.h"
#include "store/census.h"
#include "store/spool.h"

#define CONFIG_EVERY CLOCK_SECOND
#define OPEN_TRIES 10

const char *mq_version(void)
{
    return MQ_VERSION;
}

/* ---- the page ------------------------------------------------------------------- */

static void fill_page(struct page *page, const struct census *census)
{
    for (int state = 0; state < MQ_STATES; state++)
        page_add_messages(page, (enum mq_state)state, census->count[state]);
    page_add_bytes(page, census->bytes);
    page_add_waiting(page, census->waiting);
    for (int priority = 0; priority < NAME_PRIORITIES; priority++) {
        page_raise_position(page, priority, census->positions[priority]);
        if (census->heads[priority] != PAGE_NO_BUCKET)
            page_note_arrival(page, priority, census->heads[priority], false);
    }
}

/* The page of this host counts what the pages of the other hosts do not count. */
static int subtract(void *context, const struct page *page)
{
    struct census *census = context;
    for (int state = 0; state < MQ_STATES; state++)
        census->count[state] = page_difference(census->count[state], page_messages(page, (enum mq_state)state));
    census->bytes = page_difference(census->bytes, page_bytes(page));
    census->waiting = page_difference(census->waiting, page_waiting(page));
    return 0;
}

static int make_page(mq_queue *queue, struct page **ret_page)
{
    struct census census;
    struct page *page;
    int error = page_create(queue->dir, access_mode(queue->sharing, ACCESS_FILE), &page);
    if (error)
        return error;
    error = census_queue(queue->dir, queue->config.order != CONFIG_UNORDERED, &census);
    if (!error)
        error = queue_each_other_page(queue, subtract, &census);
    if (error) {
        page_discard(page, queue->dir);
        return error;
    }
    fill_page(page, &census);
    const int installed = page_install(page, queue->dir, queue->host);
    if (installed == 1)
        *ret_page = page;
    else
        page_close(page);
    return installed;
}

/*
 * Open or make a page, as far as the rights of this process go. A process that may do everything makes the page if it
 * is missing. One that may only look uses the page as it is, and else makes a private one. One that may only send could
 * not fill a page, so it uses an empty private one.
 */
static int get_page(mq_queue *queue, struct page **ret_page)
{
    const bool is_open = page_open_own(queue->dir, queue->host, ret_page) == 1;
    if (is_open && page_is_exclusive(*ret_page))
        return 1;
    int error = access_read(queue->dir, &queue->sharing);
    if (is_open && !error)
        return 1;
    if (is_open)
        page_close(*ret_page);
    if (!error)
        error = access_rights(queue->dir, &queue->rights);
    if (error)
        return error;
    if (queue_only_sends(queue))
        return page_create_private(ret_page) == 0 ? 1 : -ENOMEM;
    if (queue->rights == ACCESS_LOOK && page_open_to_look(queue->dir, queue->host, ret_page) == 1)
        return 1;
    return make_page(queue, ret_page);
}

/* If no page can be opened or made, the handle keeps the one that it has. */
static int open_page(mq_queue *queue)
{
    const unsigned sharing = queue->sharing, rights = queue->rights;
    struct page *page;
    int opened = 0;
    queue->sharing = ACCESS_PRIVATE;
    queue->rights = ACCESS_ALL;
    for (int tries = 0; tries < 10 && opened == 0; tries++)
        opened = get_page(queue, &page);
    struct shared_clock clock = queue->clock;
    const int error = opened == 1 ? shared_clock_begin(&clock, page, queue->dir, queue->rights) : 0;
    if (opened == 1 && !error) {
        page_close(queue->page);
        queue->page = page;
        queue->clock = clock;
        return 0;
    }
    if (error) {
        page_close(page);
        opened = error;
    }
    queue->sharing = sharing;
    queue->rights = rights;
    return opened < 0 ? opened : -EBUSY;
}

int queue_demand(const mq_queue *queue, unsigned rights)
{
    if (rights == ACCESS_SEND && name_group_part(queue->name))
        return -EOPNOTSUPP;
    if ((queue->rights & rights) == rights)
        return 0;
    const int error = fs_may(queue->dir, name_of_state(MQ_READY), W_OK);
    return error ? error : -EACCES;
}

struct page_walk {
    mq_queue *queue;
    int (*each)(void *context, const struct page *page);
    void *context;
};

static int visit_page(void *context, const char *name, unsigned char type)
{
    struct page_walk *walk = context;
    struct page *page;
    const int opened = type != DT_REG || strcmp(name, walk->queue->host) == 0
                           ? 0
                           : page_open_foreign(walk->queue->dir, name, &page);
    if (opened != 1)
        return opened;
    const int stop = walk->each(walk->context, page);
    page_close(page);
    return stop;
}

int queue_each_other_page(mq_queue *queue, int (*each)(void *context, const struct page *page), void *context)
{
    return fs_list_at(queue->dir, "host", visit_page, &(struct page_walk){queue, each, context});
}

/* ---- the handle ----------------------------------------------------------------- */

static void empty_handle(mq_queue *queue)
{
    queue->cursor = NULL;
    queue->waiter = NULL;
    queue->sent = NULL;
    queue->lane = NULL;
    queue->page = NULL;
    queue->dir = queue->tmp = queue->lock = -1;
    queue->identified = false;
    queue->persisted = false;
    queue->order = (struct fs_order){.kept = FS_ORDER_UNKNOWN};
    queue->clock = (struct shared_clock){0};
    for (unsigned target = 0; target < QUEUE_TARGETS; target++)
        queue->target[target].dir = -1;
}

static mq_queue *new_handle(const char *spool, const char *name)
{
    mq_queue *queue = calloc(1, sizeof *queue);
    if (!queue)
        return NULL;
    queue->spool = spool ? strdup(spool) : NULL;
    if (spool && !queue->spool) {
        free(queue);
        return NULL;
    }
    snprintf(queue->name, sizeof queue->name, "%s", name);
    queue->fresh = true;
    empty_handle(queue);
    return queue;
}

static int fill_handle(mq_queue *queue, bool heal)
{
    queue->dir = spool_open_queue(queue->spool, queue->name, queue->flags);
    if (queue->dir < 0)
        return queue->dir;
    queue->config_read_at = clock_monotonic();
    queue->configured = 0; /* if anything was ever announced it is read once more */
    int error = config_load(queue->dir, &queue->config, NULL);
    if (error)
        return error;
    page_host_name(queue->host);
    name_mark_host(queue->host, queue->owner.host);
    if (heal)
        (void)spool_heal(queue->dir); /* the operation that needs what is still missing reports it */
    error = open_page(queue);
    if (error == -ENOENT && queue->flags & MQ_CREATE && layout_is_other(queue->dir) == 1)
        return -ENOTDIR;
    if (error == -ENOENT && !heal && spool_heal(queue->dir) == 0)
        error = open_page(queue);
    return error;
}

static void release_handle(mq_queue *queue)
{
    cursor_free(queue->cursor);
    waiter_free(queue->waiter);
    sent_slots_free(queue->sent);
    lane_kept_free(queue->lane);
    if (queue->source)
        queue->source->let_go(queue->source);
    for (unsigned target = 0; target < QUEUE_TARGETS; target++)
        queue_forget_target(queue, target);
    page_close(queue->page);
    if (queue->tmp >= 0)
        close(queue->tmp);
    if (queue->lock >= 0)
        close(queue->lock);
    if (queue->dir >= 0)
        close(queue->dir);
    empty_handle(queue);
}

/* If the handle cannot be filled it keeps what it has, and can be used again. */
static int refill_handle(mq_queue *queue, bool heal)
{
    mq_queue filled = *queue;
    empty_handle(&filled);
    const int error = fill_handle(&filled, heal);
    release_handle(error ? &filled : queue);
    if (!error) {
        *queue = filled;
        queue->openings++;
    }
    return error;
}

/* Another process may delete the queue while it is opened. With MQ_CREATE it is made again then. */
static int open_handle(mq_queue *queue, bool heal)
{
    int error = refill_handle(queue, heal);
    for (int tries = 1; tries < OPEN_TRIES && error == -ENOENT && queue->flags & MQ_CREATE; tries++) {
        error = mq_create(queue->spool, queue->name);
        if (error >= 0)
            error = refill_handle(queue, heal);
    }
    return error;
}

int queue_reopen(mq_queue *queue)
{
    return open_handle(queue, true);
}

int queue_open(const char *spool, const char *name, unsigned flags, mq_queue **ret_queue)
{
    if (!name_is_queue(name))
        return -EINVAL;
    mq_queue *queue = new_handle(spool, name);
    if (!queue)
        return -ENOMEM;
    queue->flags = name_group_part(name) ? 0 : flags;
    const int error = open_handle(queue, false);
    if (error)
        mq_close(queue);
    else
        *ret_queue = queue;
    return error;
}

int queue_open_feed(const char *spool, const char *name, int dir, struct outlet *outlet, mq_queue **ret_feed)
{
    mq_queue *feed = dir < 0 ? NULL : new_handle(spool, name);
    int error = dir < 0 ? dir : feed ? page_create_private(&feed->page) : -ENOMEM;
    if (error) {
        mq_close(feed);
        if (dir >= 0)
            close(dir);
        return error;
    }
    config_default(&feed->config);
    feed->sharing = ACCESS_PRIVATE;
    feed->rights = ACCESS_ALL;
    feed->is_feed = true;
    feed->outlet = outlet;
    feed->dir = dir;
    *ret_feed = feed;
    return 0;
}

void mq_close(mq_queue *queue)
{
    if (!queue || queue->keepers-- > 0)
        return;
    release_handle(queue);
    if (queue->source)
        queue->source->end(queue->source);
    id_source_free(&queue->ids);
    free(queue->spool);
    free(queue);
}

const char *mq_queue_name(const mq_queue *queue)
{
    return queue->name;
}

bool mq_queue_is_alone(const mq_queue *queue)
{
    return page_is_displaced(queue->page);
}

bool mq_queue_is_polling(const mq_queue *queue)
{
    return wait_polls(queue->waiter);
}

int queue_persist(mq_queue *queue)
{
    const int error = queue->persisted ? 0 : spool_persist_queue(queue->spool, queue->name, queue->dir);
    queue->persisted = !error;
    return error;
}

/* One look tells both that the directory has the name and that the page is current. */
static bool has_all(mq_queue *queue)
{
    const bool has = page_lies_in(queue->page, queue->dir, queue->name, queue->host);
    queue->seen_at = has && !queue->clock.is_network ? clock_monotonic() : 0;
    return has;
}

static int has_name(mq_queue *queue)
{
    const int error = queue->identified ? 0 : fs_identify(queue->dir, &queue->identity);
    queue->identified = !error;
    return error ? error : spool_queue_has_name(queue->dir, queue->name, &queue->identity);
}

/* Over a network the look at both would ask the server for each directory on the way. But it needs no identity of the
   directory. */
int queue_has_name(mq_queue *queue)
{
    const bool looks_at_all = !queue->identified || !queue->clock.is_network;
    return looks_at_all && has_all(queue) ? 1 : has_name(queue);
}

/* Once a second, whenever a change was announced, and while the queue is paused: then nobody is in a hurry, and the change
   that ends it may come from another host. */
static int read_config_again(mq_queue *queue)
{
    const uint64_t configured = page_configured(queue->page);
    if (clock_monotonic() - queue->config_read_at < CONFIG_EVERY && configured == queue->configured &&
        !queue->config.paused)
        return 0;
    queue->config_read_at = clock_monotonic();
    queue->configured = configured;
    return config_load(queue->dir, &queue->config, NULL);
}

int queue_refresh(mq_queue *queue)
{
    if (queue->is_feed)
        return 0;
    if (queue->fresh) {
        queue->fresh = false;
        return 0;
    }
    const int has = queue_has_name(queue);
    const bool has_page = has == 1 && queue->seen_at != 0;
    if (has != 1)
        return has < 0 ? has : queue_reopen(queue);
    const int read = read_config_again(queue);
    if (read)
        return read;
    shared_clock_refresh(&queue->clock, queue->page, queue->dir, queue->rights);
    if (has_page || page_is_current(queue->page))
        return 0;
    const int error = open_page(queue);
    return error == -ENOENT ? queue_reopen(queue) : error;
}

int queue_target(mq_queue *queue, unsigned target, const char *bucket, int *ret_dir)
{
    if (queue->target[target].dir < 0 || strcmp(queue->target[target].name, bucket) != 0) {
        const enum mq_state state = target >= QUEUE_SETTLED ? MQ_INFLIGHT : (enum mq_state)target;
        queue_forget_target(queue, target);
        const int dir = queue_only_sends(queue) ? bucket_open_inbox(queue->dir)
                                                : bucket_make(queue->dir, queue->sharing, state, bucket);
        if (dir < 0)
            return dir;
        queue->target[target].dir = dir;
        snprintf(queue->target[target].name, sizeof queue->target[target].name, "%s", bucket);
    }
    *ret_dir = queue->target[target].dir;
    return 0;
}

int queue_has_open(const mq_queue *queue, const char *bucket)
{
    static const unsigned targets[] = {MQ_INFLIGHT, QUEUE_SETTLED, QUEUE_SETTLED + 1};
    for (size_t i = 0; i < 3; i++)
        if (queue->target[targets[i]].dir >= 0 && strcmp(queue->target[targets[i]].name, bucket) == 0)
            return queue->target[targets[i]].dir;
    return -1;
}

int queue_tmp(mq_queue *queue, int *ret_dir)
{
    if (queue->tmp < 0) {
        const int dir = fs_open_dir(queue->dir, "tmp");
        if (dir < 0)
            return dir;
        queue->tmp = dir;
    }
    *ret_dir = queue->tmp;
    return 0;
}

void queue_forget_target(mq_queue *queue, unsigned target)
{
    if (queue->target[target].dir >= 0)
        close(queue->target[target].dir);
    queue->target[target].dir = -1;
}
