/* Files that come into an ordered queue from elsewhere. */
#include "lifecycle/lane_delivery.h"

#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/decode.h"
#include "format/message.h"
#include "lane/lane.h"
#include "lifecycle/draft.h"
#include "store/adopt.h"

int lane_delivery_find(mq_queue *to, int dir, const char *file, const struct message_name *name,
                       char ret_lane[LANE_KEY_SIZE])
{
    mq_message *message;
    const int opened = to->config.order && name->count == 1 ? fs_open_unchecked(dir, file) : -ENOENT;
    if (opened < 0)
        return opened == -ENOENT ? 0 : opened;
    int is = decode_file(opened, name, &message);
    if (is) {
        close(opened);
        return is == -EBADMSG || is == -ENOENT ? 0 : is;
    }
    message->name.priority = MQ_PRIORITY_DEFAULT;
    is = draft_lane(to, message, ret_lane);
    mq_message_free(message);
    return is;
}

struct source {
    mq_queue *to;
    int dir;
    const char *file;
    int64_t size;
};

/* -ESTALE: the file is gone, whoever has it now. */
static int rename_in(void *context, int dir, const char *file)
{
    struct source *source = context;
    mq_queue *to = source->to;
    struct adopt_look look = {0};
    int error = adopt_file_as(to->dir, to->sharing, NULL, source->dir, source->file, &look);
    source->size = look.status.st_size;
    if (!error)
        error = fs_rename_unique(source->dir, source->file, dir, file);
    return error == -ENOENT && fs_has(source->dir, source->file) == 0 ? -ESTALE : error;
}

int lane_delivery_put(mq_queue *to, const char *lane, int dir, const char *file, struct message_name *name,
                      bool keeps_position, int64_t *ret_size, int *ret_dir)
{
    struct source source = {.to = to, .dir = dir, .file = file};
    name->priority = MQ_PRIORITY_DEFAULT;
    if (!name_fits_lane(name))
        return -ENAMETOOLONG;
    const int error = lane_put(to, lane, name, keeps_position, rename_in, &source, ret_dir);
    if (error)
        return error == -ESTALE ? 0 : error;
    *ret_size = source.size;
    return 1;
}

int lane_delivery_move(mq_queue *to, const char *lane, int dir, const char *file, struct message_name *name,
                       bool keeps_position, int64_t *ret_size)
{
    int there;
    const int moved = lane_delivery_put(to, lane, dir, file, name, keeps_position, ret_size, &there);
    if (moved == 1)
        close(there);
    return moved;
}
