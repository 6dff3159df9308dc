/* What becomes of the messages of a lane's head that are dead. */
#include "lane/lane_bury.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/batch.h"
#include "format/lane_name.h"
#include "lane/lane_out.h"
#include "queue/move.h"
#include "store/bucket.h"
#include "store/lane_birth.h"
#include "store/lane_cuts.h"

struct burial {
    mq_queue *queue;
    enum mq_state state;
    int dir;
    const char *file;
    lane_dead_fn *each;
    int cuts; /* of the lane; negative: it has none */
};

/* ---- a part of a file ----------------------------------------------------------------- */

bool lane_bury_needs_link(const struct message_name *token)
{
    return token->settled > LANE_DONE && lane_name_is_part(token) && !token->split;
}

int lane_bury_link(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *head,
                   const void *argument)
{
    const struct lane_bury_token *token = argument;
    struct message_name marked = *token->name, link = *head;
    char text[NAME_SIZE];
    int tmp, error = queue_tmp(queue, &tmp);
    const int is = lane_out_was(queue, state, dir, head);
    if (is)
        return is;
    marked.split = true;
    marked.split_offset = marked.offset;
    marked.split_mark = link.split_mark = id_random() >> (64 - NAME_SPLIT_BITS);
    marked.token = id_random();
    name_format_split(&link, text);
    if (!error)
        error = fs_link_unique(dir, file, tmp, text);
    if (error)
        return error == -ENOENT ? 0 : error;
    const int moved = move_token(queue, *token->dir, token->file, MQ_INFLIGHT, &marked, token->dir);
    if (moved != 1) {
        (void)fs_unlink(tmp, text);
        return moved < 0 ? moved : -ESTALE;
    }
    *token->name = marked;
    name_format(MQ_INFLIGHT, &marked, token->file);
    return 1;
}

static void tell(const struct burial *burial, const struct message_name *one)
{
    move_count(burial->queue, burial->state, MQ_DEAD, one, one->length);
    burial->each(burial->queue, one);
}

/* The last step. 0: another process has done it. */
static int bring(const struct burial *burial, const struct message_name *dead)
{
    mq_queue *queue = burial->queue;
    struct message_name one = *dead;
    char link[NAME_SIZE], bucket[NAME_BUCKET_SIZE], text[NAME_SIZE];
    int tmp;
    const int error = queue_tmp(queue, &tmp);
    name_format_split(dead, link);
    one.split = false;
    name_format_bucket(MQ_DEAD, &one, bucket);
    name_format(MQ_DEAD, &one, text);
    const int dir = error ? error : bucket_make(queue->dir, queue->sharing, MQ_DEAD, bucket);
    if (dir < 0)
        return dir;
    const int moved = fs_rename(tmp, link, dir, text);
    const int gone = moved == -ENOENT ? fs_has(tmp, link)
                                      : 0; /* or the bucket is gone: then it is done at the end of the lease */
    close(dir);
    if (!moved)
        tell(burial, &one);
    return moved == -ENOENT && gone == 0 ? 0 : moved ? moved : 1;
}

/* ---- several messages at once --------------------------------------------------------- */

/* Another name of the head's file. It is there already if a process died after it was made. */
static int link_one(void *context, const struct message_name *one)
{
    const struct burial *burial = context;
    mq_queue *queue = burial->queue;
    char bucket[NAME_BUCKET_SIZE], text[NAME_SIZE];
    const int is = lane_out_ends(queue, burial->state, burial->cuts, one);
    if (is)
        return is < 0 ? is : 0;
    name_format_bucket(MQ_DEAD, one, bucket);
    name_format(MQ_DEAD, one, text);
    const int dir = bucket_make(queue->dir, queue->sharing, MQ_DEAD, bucket);
    const int error = dir < 0 ? dir : fs_link(burial->dir, burial->file, dir, text);
    if (dir >= 0)
        close(dir);
    if (!error)
        tell(burial, one);
    return error == -EEXIST ? 0 : error;
}

static int link_each(struct burial *burial, const struct message_name *dead)
{
    const int opened = fs_open_file(burial->dir, burial->file);
    if (opened < 0)
        return opened;
    burial->cuts = lane_cuts_open_beside(burial->dir);
    const int error = batch_walk(opened, dead, link_one, burial);
    if (burial->cuts >= 0)
        close(burial->cuts);
    close(opened);
    return error;
}

/* The messages of a file that all are dead get names that every process would give them: that of their death is when the
   token was settled. */
static int bury_several(struct burial *burial, const struct message_name *dead, int64_t settled_at)
{
    struct message_name whole = *dead;
    whole.time = settled_at;
    int error = link_each(burial, &whole);
    if (!error)
        error = fs_unlink(burial->dir, burial->file);
    return error == -ENOENT ? 0 : error ? error : 1;
}

static int remove_file(int dir, const char *file)
{
    const int error = fs_unlink(dir, file);
    return error == -ENOENT ? 0 : error ? error : 1;
}

int lane_bury(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *dead,
              bool may_be_out, int64_t settled_at, lane_dead_fn *each)
{
    struct burial burial = {queue, state, dir, file, each, -1};
    struct message_name whole = *dead;
    whole.due = 0;
    if (lane_name_is_part(dead))
        return dead->split ? bring(&burial, &whole) : 0;
    const int done = dead->count > 1 ? bury_several(&burial, &whole, settled_at) : -EBADMSG;
    const int is = done == -EBADMSG && may_be_out ? lane_out_was(queue, state, dir, &whole) : 0;
    if (is)
        return is < 0 ? is : remove_file(dir, file);
    if (done != -EBADMSG) /* else it is one message, or the file cannot be taken apart */
        return done;
    const int moved = move_message(queue, state, dir, file, MQ_DEAD, &whole);
    if (moved == 1)
        each(queue, &whole);
    return moved;
}
