/* A message that its sender takes back out of its lane. */
#include "lane/lane_withdraw.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lane/lane.h"
#include "store/bucket.h"

struct withdrawal {
    mq_queue *queue;
    const char *key;
    const struct message_name *name;
};

static int go_on_from(void *context, const struct bucket_file *file)
{
    const struct withdrawal *withdrawal = context;
    const struct message_name *token = &file->name;
    if (strncmp(token->lane, withdrawal->key, NAME_LANE_KEY) != 0 || token->settled)
        return 0;
    if (token->head == withdrawal->name->position && strcmp(token->id, withdrawal->name->id) == 0)
        (void)lane_go_on(withdrawal->queue, file->dir, file->file, token);
    return 1;
}

void lane_withdraw(mq_queue *queue, const char *key, const struct message_name *name)
{
    struct withdrawal withdrawal = {queue, key, name};
    if (bucket_walk(queue->dir, name->due ? MQ_DELAYED : MQ_READY, go_on_from, &withdrawal) == 0 && name->due)
        (void)bucket_walk(queue->dir, MQ_READY, go_on_from, &withdrawal); /* it is due by now */
}

/* A head that cannot be opened for another reason is a receiver's to judge. */
static int go_on_if_gone(void *context, const struct bucket_file *file)
{
    mq_queue *queue = context;
    if (!lane_is_token(&file->name) || file->name.settled)
        return 0;
    const int head = lane_open_head(queue, &file->name, NULL);
    if (head >= 0)
        close(head);
    const int moved = head == -ENOENT ? lane_go_on(queue, file->dir, file->file, &file->name) : 0;
    return moved < 0 ? moved : 0;
}

int lane_sweep_withdrawn(mq_queue *queue)
{
    const int error = bucket_walk(queue->dir, MQ_READY, go_on_if_gone, queue);
    return error ? error : bucket_walk(queue->dir, MQ_DELAYED, go_on_if_gone, queue);
}
