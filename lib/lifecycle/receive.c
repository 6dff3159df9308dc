/*
 * Receiving: move what is due, claim, and sleep until there is something to claim.
 *
 * Each try has these steps: notice changes of the queue, move what is due, claim and open the next message, carry out
 * committed transactions if there is none, and look whether the directory still has the queue's name. A directory without
 * the name may be deleted or merged into another queue, so nothing is delivered from it.
 */
#include "lifecycle/receive.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/group_name.h"
#include "format/message.h"
#include "format/receipt.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "queue/wait.h"

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
    int error = queue_refresh(queue);
    if (!error)
        error = expire_all(queue, clock_now());
    if (error)
        return error;
    if (queue->config.paused & CONFIG_PAUSED_RECEIVE)
        return 0;
    const int64_t ack_timeout = receive_ack_timeout(queue, options);
    int got = claim_next(queue, ack_timeout, max_count, ret_claimed);
    if (got == 0 && queue->source)
        got = claim_from_source(queue, ack_timeout, max_count, ret_claimed);
    if (got != 0 || !outbox_look(queue, clock_now(), true))
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

static int open_watched(void *context, int ret_dirs[WAIT_DIRS])
{
    mq_queue *queue = context;
    return queue->source->open_watched(queue->source, queue, ret_dirs);
}

static struct wait_queue what_waits(mq_queue *queue)
{
    return (struct wait_queue){.dir = queue->dir,
                               .sharing = queue->sharing,
                               .page = queue->page,
                               .open_watched = queue->source ? open_watched : NULL,
                               .context = queue};
}

static int64_t time_left(const struct mq_receive_options *options, int64_t waited)
{
    return options->wait == MQ_FOREVER ? INT64_MAX : options->wait - waited;
}

/* Enter the wait, or sleep, unless the time is up. 1 try again; 0 the time is up. */
static int wait_for_more(mq_queue *queue, const struct mq_receive_options *options, int64_t since)
{
    const int64_t waited = clock_monotonic() - since;
    if (options->wait != MQ_FOREVER && waited >= options->wait)
        return 0;
    const struct wait_queue waits = what_waits(queue);
    int error;
    if (!wait_is_ready(queue->waiter))
        error = wait_enter(&queue->waiter, &waits);
    else
        error = wait_sleep(queue->waiter, &waits, expire_next(queue, clock_now()), time_left(options, waited),
                           options->cancel_fd);
    return error ? error : 1;
}

/* Whether this receiver enters the wait before it looks for the first time. Once it has entered it has to look in any
   case. The look before that is saved if the last one found nothing and the page says that nothing is ready. If the page
   is wrong, the receiver leaves the wait at once. */
static bool waits_first(const mq_queue *queue, const struct mq_receive_options *options)
{
    return queue->waiter && options->wait != 0 && page_is_current(queue->page) &&
           page_messages(queue->page, MQ_READY) == 0;
}

/* getpid is a system call, so the handle keeps its result. */
static void set_owner(mq_queue *queue, const struct mq_receive_options *options)
{
    if (!options->owner && !queue->process)
        queue->process = getpid();
    queue->owner.process = (uint32_t)(options->owner ? options->owner : queue->process);
}

int receive_claim(mq_queue *queue, const struct mq_receive_options *options, uint64_t max_count,
                  struct claimed *ret_claimed)
{
    if (!name_can_say_after(clock_now(), options->ack_timeout) || options->owner < 0)
        return -EINVAL;
    const int error = queue_demand(queue, ACCESS_ALL);
    if (error)
        return error;
    set_owner(queue, options);
    const int64_t since = clock_monotonic();
    bool healed = false;
    int got = is_cancelled(options->cancel_fd) ? -ECANCELED : 0, more = got == 0;
    bool looks = !waits_first(queue, options);
    for (; more == 1; looks = true) {
        if (looks)
            got = claim_in_queue(queue, options, max_count, ret_claimed);
        if (got != 0)
            break;
        more = wait_for_more(queue, options, since);
        if (more == -ENOENT && !healed) { /* the queue was deleted, or lacks waiters/ */
            healed = true;
            more = queue_reopen(queue);
            more = more ? more : 1;
        }
        if (more < 0)
            got = more;
    }
    const struct wait_queue waits = what_waits(queue);
    wait_leave(queue->waiter, &waits);
    return got;
}

void receive_set_offset(const mq_queue *queue, uint64_t position, mq_message *message)
{
    message->has_offset = queue->source && group_name_has_offset(position);
    message->offset = message->has_offset ? group_name_offset(position) : 0;
}

int mq_receive(mq_queue *queue, const struct mq_receive_options *options, mq_message **ret_message)
{
    struct claimed claimed = {0};
    const int got = receive_claim(queue, options, 1, &claimed);
    if (got == 1) {
        receipt_format(queue->name, &claimed.name, claimed.message->receipt);
        receive_set_offset(queue, claimed.name.position, claimed.message);
        *ret_message = claimed.message;
    }
    return got;
}
