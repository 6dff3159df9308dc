/* The file of a lane's head. */
#include "lane/lane_head.h"

#include <unistd.h>

#include "base/fs.h"
#include "format/lane_name.h"
#include "lane/lane_out.h"
#include "queue/move.h"
#include "store/bucket.h"

int lane_head_end(mq_queue *queue, enum mq_state state, const struct message_name *token, int q, lane_end_fn *end,
                  const void *argument)
{
    char text[NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    const struct message_name head = lane_name_without(token);
    lane_name_head(token, text);
    int done = end(queue, state, q, text, &head, argument);
    if (done)
        return done;
    lane_name_format_bucket(token->head, bucket);
    const int dir = fs_open_dir(q, bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    done = end(queue, state, dir, text, &head, argument);
    close(dir);
    return done;
}

int lane_head_remove(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *head,
                     const void *argument)
{
    (void)argument;
    if (!lane_name_is_part(head))
        return move_out(queue, state, dir, file, head);
    move_count_out(queue, state, head, head->length);
    return 1;
}

/* Of what was claimed nothing was taken out. */
int lane_head_remove_waiting(mq_queue *queue, enum mq_state state, int dir, const char *file,
                             const struct message_name *head, const void *argument)
{
    if (head->count > 1)
        lane_out_count_back(queue, state, dir, file, head);
    return lane_head_remove(queue, state, dir, file, head, argument);
}
