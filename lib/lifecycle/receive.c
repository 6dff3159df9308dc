/* Receiving: housekeeping, a claim, and waiting until there is something to claim. */
#include "lifecycle/receive.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/message.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "queue/wait.h"

/* How often the queue may be deleted while we look, before we give up. */
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

static int try_once(mq_queue *queue, const struct mq_receive_options *options, uint64_t most,
                    struct claimed *ret_claimed)
{
    int error = queue_refresh(queue);
    if (!error)
        error = expire_all(queue, clock_now());
    if (error)
        return error;
    const int64_t ack_timeout = receive_ack_timeout(queue, options);
    const int got = claim_next(queue, ack_timeout, most, ret_claimed);
    return got == 0 && outbox_look(queue, clock_now(), true) ? claim_next(queue, ack_timeout, most, ret_claimed) : got;
}

/* What was claimed in a directory that has lost the queue's name goes back: it may be put back, or merged. */
static void give_back(mq_queue *queue, struct claimed *claimed)
{
    claim_give_back(queue, &claimed->name);
    if (claimed->message)
        mq_message_free(claimed->message);
    else
        close(claimed->file);
    *claimed = (struct claimed){0};
}

/* The queue may be deleted while we look: then in the one that has its name now. */
static int try_here_or_anew(mq_queue *queue, const struct mq_receive_options *options, uint64_t most,
                            struct claimed *ret_claimed)
{
    for (int tries = 0; tries < TRIES; tries++) {
        struct claimed claimed = {0};
        const int got = try_once(queue, options, most, &claimed);
        const int has = got >= 0 ? queue_has_name(queue) : got == -ENOENT ? 0 : 1;
        if (has == 1 && got == 1)
            *ret_claimed = claimed;
        if (has == 1)
            return got;
        if (got == 1)
            give_back(queue, &claimed);
        const int error = has < 0 ? has : queue_reopen(queue);
        if (error)
            return error;
    }
    return -EBUSY;
}

/* Sleep, unless the time is up. 1 look again, 0 time is up. */
static int wait_more(mq_queue *queue, const struct mq_receive_options *options, int64_t since)
{
    const int64_t waited = clock_monotonic() - since;
    if (options->wait != MQ_FOREVER && waited >= options->wait)
        return 0;
    int error;
    if (!wait_is_ready(queue))
        error = wait_enter(queue);
    else
        error = wait_sleep(queue, options->wait == MQ_FOREVER ? INT64_MAX : options->wait - waited, options->cancel_fd);
    return error ? error : 1;
}

/* The process id is asked for once: that is a system call. */
static void set_owner(mq_queue *queue, const struct mq_receive_options *options)
{
    if (!options->owner && !queue->process)
        queue->process = getpid();
    queue->owner.process = (uint32_t)(options->owner ? options->owner : queue->process);
}

int receive_claim(mq_queue *queue, const struct mq_receive_options *options, uint64_t most, struct claimed *ret_claimed)
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
    while (more == 1) {
        got = try_here_or_anew(queue, options, most, ret_claimed);
        if (got != 0)
            break;
        more = wait_more(queue, options, since);
        if (more == -ENOENT && !healed) { /* it was deleted, or lacks waiters/ */
            healed = true;
            more = queue_reopen(queue);
            more = more ? more : 1;
        }
        if (more < 0)
            got = more;
    }
    wait_leave(queue);
    return got;
}

int mq_receive(mq_queue *queue, const struct mq_receive_options *options, mq_message **ret_message)
{
    struct claimed claimed = {0};
    const int got = receive_claim(queue, options, 1, &claimed);
    if (got == 1) {
        receipt_format(queue->name, &claimed.name, claimed.message->receipt);
        *ret_message = claimed.message;
    }
    return got;
}
