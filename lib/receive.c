/* Receiving: housekeeping, a claim, and waiting until there is something to claim. */
#include "receive.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"
#include "expire.h"
#include "message.h"
#include "outbox.h"
#include "wait.h"

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

/* The queue may be deleted while we look: then in the one that has its name now. */
static int try_here_or_anew(mq_queue *queue, const struct mq_receive_options *options, uint64_t most,
                            struct claimed *ret_claimed)
{
    const int got = try_once(queue, options, most, ret_claimed);
    return got == -ENOENT ? queue_reopen(queue) : got;
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
    if (options->ack_timeout < 0 || options->owner < 0)
        return -EINVAL;
    const int error = queue_demand(queue, ACCESS_ALL);
    if (error)
        return error;
    set_owner(queue, options);
    const int64_t since = clock_monotonic();
    int got = is_cancelled(options->cancel_fd) ? -ECANCELED : 0, more = got == 0;
    while (more == 1) {
        got = try_here_or_anew(queue, options, most, ret_claimed);
        if (got != 0)
            break;
        more = wait_more(queue, options, since);
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
