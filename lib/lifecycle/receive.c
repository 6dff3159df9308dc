/*
 * Receiving: move what is due, claim, and sleep until there is something to claim.
 *
 * Each try has these steps: notice changes of the queue, move what is due, claim and open the next message, carry out
 * committed transactions if there is none, and look whether the directory still has the queue's name. A directory without
 * the name may be deleted or merged into another queue, so nothing is delivered from it.
 */
#include "lifecycle/receive.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/group_name.h"
#include "format/message.h"
#include "format/receipt.h"
#include "lane/lane.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"

/* After the queue was deleted and made anew this many times during one try, receiving fails with -EBUSY. */
#define TRIES 100

static bool is_cancelled(int cancel_fd)
{
    struct pollfd cancel = {.fd = cancel_fd, .events = POLLIN};
    return cancel_fd >= 0 && poll(&cancel, 1, 0) > 0;
}

int64_t receive_ack_timeout(const mq_queue *queue, const struct mq_receive_options *options)
{
    return options->ack_timeout ? options->ack_timeout : queue->config.ack_timeout;
}

/* A queue that has a source takes from there what comes next, if nothing is ready. */
static int claim_from_source(mq_queue *queue, int64_t ack_timeout, uint64_t max_count, struct claimed *ret_claimed)
{
    struct source_file taken;
    int got = 0;
    while (got == 0) {
        got = queue->source->take(queue->source, queue, &taken);
        if (got <= 0)
            return got;
        got = got == 1 ? claim_taken(queue, ack_timeout, max_count, &taken, ret_claimed) : 0;
        if (got == 0)
            got = claim_next(queue, ack_timeout, max_count, ret_claimed);
    }
    return got;
}

static int claim_in_directory(mq_queue *queue, const struct mq_receive_options *options, uint64_t max_count,
                              struct claimed *ret_claimed)
{
    int error = queue_refresh_soon(queue);
    if (!error)
        error = expire_all(queue, queue_now(queue));
    if (error)
        return error;
    if (queue->config.paused & CONFIG_PAUSED_RECEIVE)
        return 0;
    const int64_t ack_timeout = receive_ack_timeout(queue, options);
    int got = claim_next(queue, ack_timeout, max_count, ret_claimed);
    if (got == 0 && queue->source)
        got = claim_from_source(queue, ack_timeout, max_count, ret_claimed);
    if (got != 0 || !outbox_look(queue, queue_now(queue), true))
        return got;
    return claim_next(queue, ack_timeout, max_count, ret_claimed);
}

/* One try, in a directory that still has the queue's name at the end. */
static int claim_in_queue(mq_queue *queue, const struct mq_receive_options *options, uint64_t max_count,
                          struct claimed *ret_claimed)
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct claimed claimed = {0};
        const int got = claim_in_directory(queue, options, max_count, &claimed);
        const int has = got >= 0 ? queue_has_name(queue) : got == -ENOENT ? 0 : 1;
        if (has == 1 && got == 1)
            *ret_claimed = claimed;
        if (has == 1)
            return got;
        if (got == 1)
            claim_give_back(queue, &claimed);
        const int error = has < 0 ? has : queue_reopen(queue);
        if (error)
            return error;
    }
    return -EBUSY;
}

/* ---- several queues --------------------------------------------------------------- */

static int open_watched(void *context, int ret_dirs[WAIT_DIRS])
{
    mq_queue *queue = context;
    return queue->source->open_watched(queue->source, queue, ret_dirs);
}

/* Two groups may watch the same directory of a log, so that each needs a descriptor of its own. */
static struct wait_queue what_waits(const struct receive_queues *queues, size_t which)
{
    mq_queue *queue = queues->queues[which];
    return (struct wait_queue){.dir = queue->dir,
                               .sharing = queue->sharing,
                               .page = queue->page,
                               .inotify = queue->source ? NULL : queues->inotify,
                               .open_watched = queue->source ? open_watched : NULL,
                               .context = queue};
}

/* A message in another queue wakes this receiver, too, which then looks there. */
static bool is_looked_into(const struct receive_queues *queues, size_t which)
{
    return !queues->slept || queues->members[which].woken;
}

static int claim_first(struct receive_queues *queues, const struct mq_receive_options *options, uint64_t max_count,
                       struct claimed *ret_claimed)
{
    int got = 0;
    for (size_t i = 0; i < queues->count && got == 0; i++) {
        const size_t which = (queues->first + i) % queues->count;
        if (!is_looked_into(queues, which))
            continue;
        queues->which = which;
        got = claim_in_queue(queues->queues[queues->which], options, max_count, ret_claimed);
    }
    return got;
}

/* 1: this receiver has entered the wait of a queue, and has to look once more. 0: it waits in all of them already. */
static int enter_all(struct receive_queues *queues)
{
    int entered = 0;
    for (size_t i = 0; i < queues->count; i++) {
        mq_queue *queue = queues->queues[i];
        if (wait_is_ready(queue->waiter))
            continue;
        queues->which = i;
        const struct wait_queue waits = what_waits(queues, i);
        const int error = wait_enter(&queue->waiter, &waits);
        if (error)
            return error;
        entered = 1;
    }
    return entered;
}

static void leave_all(const struct receive_queues *queues)
{
    for (size_t i = 0; i < queues->count; i++) {
        const struct wait_queue waits = what_waits(queues, i);
        wait_leave(queues->queues[i]->waiter, &waits);
    }
}

static int sleep_in_all(struct receive_queues *queues, int64_t longest, int cancel_fd)
{
    for (size_t i = 0; i < queues->count; i++) {
        const mq_queue *queue = queues->queues[i];
        const int64_t now = queue_now(queue);
        queues->members[i] = (struct wait_member){.waiter = queue->waiter,
                                                  .queue = what_waits(queues, i),
                                                  .due = clock_now() + (expire_next(queue, now) - now)};
    }
    return wait_sleep(queues->members, queues->count, longest, cancel_fd, queues->fds);
}

/* ---- waiting ---------------------------------------------------------------------- */

static int64_t time_left(const struct mq_receive_options *options, int64_t waited)
{
    return options->wait == MQ_FOREVER ? INT64_MAX : options->wait - waited;
}

/* Enter the wait, or sleep, unless the time is up. 1 try again; 0 the time is up. */
static int wait_for_more(struct receive_queues *queues, const struct mq_receive_options *options, int64_t since)
{
    const int64_t waited = clock_monotonic() - since;
    if (options->wait != MQ_FOREVER && waited >= options->wait)
        return 0;
    const int entered = enter_all(queues);
    queues->slept = entered == 0;
    const int error = entered ? 0 : sleep_in_all(queues, time_left(options, waited), options->cancel_fd);
    return entered < 0 ? entered : error ? error : 1;
}

/* Whether this receiver enters the wait before it looks for the first time. Once it has entered it has to look in any
   case. The look before that is saved if the last one found nothing and the pages say that nothing is ready. If a page
   is wrong, the receiver leaves the wait at once. */
static bool waits_first(const struct receive_queues *queues, const struct mq_receive_options *options)
{
    for (size_t i = 0; i < queues->count; i++) {
        const mq_queue *queue = queues->queues[i];
        if (!queue->waiter || options->wait == 0 || !page_is_current(queue->page) ||
            page_messages(queue->page, MQ_READY) != 0)
            return false;
    }
    return true;
}

/* getpid is a system call, so the handle keeps its result. */
static void set_owner(mq_queue *queue, const struct mq_receive_options *options)
{
    if (!options->owner && !queue->process)
        queue->process = getpid();
    queue->owner.process = (uint32_t)(options->owner ? options->owner : queue->process);
}

static int begin(struct receive_queues *queues, const struct mq_receive_options *options)
{
    for (size_t i = 0; i < queues->count; i++) {
        const int error = queue_demand(queues->queues[i], ACCESS_ALL);
        if (error)
            queues->which = i;
        if (error)
            return error;
        set_owner(queues->queues[i], options);
    }
    return 0;
}

int receive_claim(struct receive_queues *queues, const struct mq_receive_options *options, uint64_t max_count,
                  struct claimed *ret_claimed)
{
    queues->which = 0;
    queues->slept = false;
    if (!name_can_say_after(clock_now(), options->ack_timeout) || options->owner < 0)
        return -EINVAL;
    const int error = begin(queues, options);
    if (error)
        return error;
    const int64_t since = clock_monotonic();
    size_t healed = 0;
    int got = is_cancelled(options->cancel_fd) ? -ECANCELED : 0, more = got == 0;
    bool looks = !waits_first(queues, options);
    for (; more == 1; looks = true) {
        if (looks)
            got = claim_first(queues, options, max_count, ret_claimed);
        if (got != 0)
            break;
        more = wait_for_more(queues, options, since);
        if (more == -ENOENT && healed++ < queues->count) { /* the queue was deleted, or lacks waiters/ */
            more = queue_reopen(queues->queues[queues->which]);
            more = more ? more : 1;
        }
        if (more < 0)
            got = more;
    }
    leave_all(queues);
    return got;
}

void receive_set_offset(const mq_queue *queue, const struct message_name *name, mq_message *message)
{
    const uint64_t position = lane_is_token(name) ? name->head + name->skipped : name->position;
    message->has_offset = queue->source && group_name_has_offset(position);
    message->offset = message->has_offset ? group_name_offset(position) : 0;
}

int receive_message(struct receive_queues *queues, const struct mq_receive_options *options, mq_message **ret_message)
{
    struct claimed claimed = {0};
    const int got = receive_claim(queues, options, 1, &claimed);
    if (got == 1) {
        const mq_queue *queue = queues->queues[queues->which];
        receipt_format(queue->name, &claimed.name, claimed.message->receipt);
        receive_set_offset(queue, &claimed.name, claimed.message);
        *ret_message = claimed.message;
    }
    return got;
}

int mq_receive(mq_queue *queue, const struct mq_receive_options *options, mq_message **ret_message)
{
    return receive_message(RECEIVE_ONE(queue), options, ret_message);
}
