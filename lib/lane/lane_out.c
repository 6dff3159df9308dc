/* Messages that were taken out of a lane. */
#include "lane/lane_out.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "format/batch.h"
#include "queue/move.h"
#include "store/bucket.h"
#include "store/lane_cuts.h"

int lane_out_ends(mq_queue *queue, enum mq_state state, int cuts, const struct message_name *one)
{
    const int is = cuts < 0 ? 0 : lane_cuts_end(cuts, one->position);
    if (is == LANE_CUT_LATE)
        move_count_out(queue, state, one, one->length);
    return is;
}

int lane_out_was(mq_queue *queue, enum mq_state state, int dir, const struct message_name *one)
{
    const int cuts = lane_cuts_open_beside(dir);
    if (cuts < 0)
        return bucket_is_missing(cuts) ? 0 : cuts;
    const int is = lane_out_ends(queue, state, cuts, one);
    close(cuts);
    return is > 0 ? 1 : is;
}

struct tally {
    mq_queue *queue;
    enum mq_state state;
    int cuts;
    int64_t size; /* of the file */
};

static int count_one(void *context, const struct message_name *one)
{
    const struct tally *tally = context;
    if (lane_cuts_is_out(tally->cuts, one->position) == LANE_CUT_COUNTED)
        move_count_in(tally->queue, tally->state, one, name_bytes_in(one, tally->size));
    return 0;
}

void lane_out_count_back(mq_queue *queue, enum mq_state state, int dir, const char *file,
                         const struct message_name *head)
{
    struct tally tally = {.queue = queue, .state = state, .cuts = lane_cuts_open_beside(dir)};
    const int opened = tally.cuts < 0 ? -1 : fs_open_file(dir, file);
    struct stat status;
    if (opened >= 0 && fstat(opened, &status) == 0) {
        tally.size = status.st_size;
        (void)batch_walk(opened, head, count_one, &tally);
    }
    if (opened >= 0)
        close(opened);
    if (tally.cuts >= 0)
        close(tally.cuts);
}

void lane_out_clear(mq_queue *queue, const struct message_name *token)
{
    const int cuts = lane_cuts_open(queue->dir, token->lane);
    if (cuts < 0)
        return;
    lane_cuts_clear(cuts, token->head, token->of ? token->of : 1);
    close(cuts);
}
