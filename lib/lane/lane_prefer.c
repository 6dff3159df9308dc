/* A message that goes before the others of its lane. */
#include "lane/lane_prefer.h"

#include <errno.h>
#include <string.h>

#include "queue/move.h"
#include "store/bucket.h"
#include "store/lane_birth.h"

struct prefer {
    mq_queue *queue;
    const char *key;
    const struct message_name *name;
};

static int prefer_in(void *context, const struct bucket_file *file)
{
    const struct prefer *prefer = context;
    int there;
    if (strncmp(file->name.lane, prefer->key, NAME_LANE_KEY) != 0)
        return 0;
    if (file->name.attempts > 0 || file->name.skipped > 0 || file->name.head <= prefer->name->position)
        return -ENOENT;
    struct message_name token = lane_name_token(prefer->name, file->name.lane);
    token.position = file->name.position;
    return move_token(prefer->queue, file->dir, file->file, MQ_READY, &token, &there) == 1 ? 1 : -ENOENT;
}

int lane_prefer(mq_queue *queue, const char *key, const struct message_name *name)
{
    const int done = bucket_walk(queue->dir, MQ_READY, prefer_in, &(struct prefer){queue, key, name});
    return done == -ENOENT ? 0 : done;
}
