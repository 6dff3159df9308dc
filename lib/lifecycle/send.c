/* Sending one message, in a file of its own. */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "format/encode.h"
#include "lifecycle/draft.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"

int mq_send(mq_queue *queue, mq_message *message, const struct mq_send_options *options, char *ret_id)
{
    struct draft draft;
    size_t published;
    char lane[LANE_KEY_SIZE];
    int error = queue_refresh(queue);
    if (!error)
        error = draft_lane(queue, message, lane);
    if (error < 0)
        return error;
    const int64_t now = clock_now();
    const struct schedule schedule = draft_schedule(queue, message, now);
    struct message_name name = draft_name(message, &schedule);
    if (!name.id[0])
        id_make(now, name.id);
    error = draft_open(queue, &name, options, now, &draft);
    if (error)
        return error;
    memcpy(draft.lane, lane, sizeof lane);
    error = encode_to_file(message, &name, now, queue->config.max_size, draft.file.file, &draft.size);
    if (!error)
        error = publish(queue, &draft, 1, options, &published);
    draft_close(&draft);
    if (error)
        return error;
    if (ret_id)
        memcpy(ret_id, name.id, strlen(name.id) + 1);
    expire_some(queue, now);
    (void)outbox_look(queue, now, false);
    return 0;
}
