/* What becomes of the messages of a lane's head that are dead. */
#include "lane/lane_bury.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/batch.h"
#include "format/lane_name.h"
#include "queue/move.h"
#include "store/bucket.h"

struct burial {
    mq_queue *queue;
    enum mq_state state;
    int dir;
    const char *file;
    lane_dead_fn *each;
};

/* Another name of the head's file. It is there already if a process died after it was made. */
static int link_one(void *context, const struct message_name *one)
{
    const struct burial *burial = context;
    mq_queue *queue = burial->queue;
    char bucket[NAME_BUCKET_SIZE], text[NAME_SIZE];
    name_format_bucket(MQ_DEAD, one, bucket);
    name_format(MQ_DEAD, one, text);
    const int dir = bucket_make(queue->dir, queue->sharing, MQ_DEAD, bucket);
    int error = dir < 0 ? dir : fs_link(burial->dir, burial->file, dir, text);
    if (dir >= 0)
        close(dir);
    if (error && error != -EEXIST)
        return error;
    page_add_messages(queue->page, burial->state, -1);
    page_add_messages(queue->page, MQ_DEAD, 1);
    burial->each(queue, one);
    return 0;
}

static int link_each(const struct burial *burial, const struct message_name *dead)
{
    const int opened = fs_open_file(burial->dir, burial->file);
    if (opened < 0)
        return opened;
    const int error = batch_walk(opened, dead, link_one, (void *)(uintptr_t)burial);
    close(opened);
    return error;
}

int lane_bury(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *dead,
              lane_dead_fn *each)
{
    const struct burial burial = {queue, state, dir, file, each};
    struct message_name whole = *dead;
    int error = -EBADMSG;
    whole.due = 0;
    if (dead->of)
        error = dead->count > 1 ? link_each(&burial, &whole) : link_one((void *)(uintptr_t)&burial, &whole);
    if (!error && !lane_name_is_part(dead))
        error = fs_unlink(dir, file);
    if (error != -EBADMSG) /* else it is one file, or cannot be taken apart */
        return error == -ENOENT ? 0 : error ? error : 1;
    const int moved = move_message(queue, state, dir, file, MQ_DEAD, &whole);
    if (moved == 1)
        each(queue, &whole);
    return moved;
}
