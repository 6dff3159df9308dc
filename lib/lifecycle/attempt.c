/* Attempts that failed. */
#include "lifecycle/attempt.h"

#include "base/clock.h"
#include "base/id.h"
#include "format/death.h"
#include "lifecycle/dead_letter.h"
#include "queue/move.h"
#include "store/retry_policy.h"

static int try_again(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                     int64_t delay)
{
    struct message_name next = *name;
    next.time = name_time_after(queue_now(queue), delay);
    const int moved = move_message(queue, state, dir, file, delay > 0 ? MQ_DELAYED : MQ_READY, &next);
    if (moved == 1)
        page_count(queue->page, PAGE_RETRIED, name->count);
    return moved;
}

int attempt_fail(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *name,
                 int64_t delay)
{
    const struct config *config = &queue->config;
    if (delay == MQ_BACK_OFF)
        delay = retry_policy_delay(config, name->attempts, id_random());
    const int moved = retry_policy_is_over(config, name)
                          ? dead_letter_make(queue, state, dir, file, name, mq_death_name(MQ_DEATH_MAX_ATTEMPTS),
                                             queue_now(queue))
                          : try_again(queue, state, dir, file, name, delay);
    if (moved == 1)
        page_count(queue->page, PAGE_FAILED, name->count);
    return moved;
}
