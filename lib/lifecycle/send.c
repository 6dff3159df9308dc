/* Sending one message, in a file of its own. */
#include "lifecycle/send.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "format/content_id.h"
#include "format/encode.h"
#include "lifecycle/draft.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"
#include "lifecycle/send_once.h"

/* If the id is made from a body that was not read yet, there is room for it until the file is written. */
static int choose_id(mq_queue *queue, const mq_message *message, bool once, int64_t now, char ret_id[MQ_ID_SIZE])
{
    if (ret_id[0])
        return 0;
    if (once && message->body_fd < 0)
        return content_id_make(message, -1, ret_id);
    if (once)
        memcpy(ret_id, content_id_blank, MQ_ID_SIZE);
    else
        id_make_of(&queue->ids, now, ret_id);
    return 0;
}

static int set_id(const mq_message *message, struct draft *draft)
{
    const int error = content_id_make(message, draft->file.file, draft->name.id);
    return error ? error : encode_set_id(draft->file.file, draft->name.id);
}

static int write_draft(mq_queue *queue, mq_message *message, bool once, int64_t now, struct draft *draft)
{
    const int64_t sent_at = message->sent_at ? message->sent_at : now;
    int error = encode_to_file(message, &draft->name, sent_at, queue->config.max_size, draft->file.file, &draft->size);
    if (!error && once && !message->name.id[0] && message->body_fd >= 0)
        error = set_id(message, draft);
    if (!error && message->sent_at)
        draft_set_age(draft, message->sent_at);
    return error;
}

int send_message(mq_queue *queue, mq_message *message, const struct mq_send_options *options, bool sync, char *ret_id,
                 bool *ret_is_duplicate)
{
    struct draft draft;
    size_t published;
    char lane[LANE_KEY_SIZE];
    int error = queue_refresh_soon(queue);
    if (!error)
        error = draft_check(queue, message);
    if (!error)
        error = draft_lane(queue, message, lane);
    if (error < 0)
        return error;
    const int64_t now = queue_now(queue);
    const struct schedule schedule = draft_schedule(queue, message, now);
    struct message_name name = draft_name(message, &schedule);
    error = choose_id(queue, message, options->once, now, name.id);
    if (!error)
        error = draft_open(queue, &name, options, now, &draft);
    if (error)
        return error;
    memcpy(draft.lane, lane, sizeof lane);
    error = write_draft(queue, message, options->once, now, &draft);
    if (!error)
        error = options->once && !message->died ? send_once(queue, &draft, options, sync, ret_is_duplicate)
                                                : publish(queue, &draft, 1, options, &published);
    draft_close(&draft);
    if ((!error || error == -EINPROGRESS) && ret_id)
        memcpy(ret_id, draft.name.id, strlen(draft.name.id) + 1);
    return error;
}

int mq_send(mq_queue *queue, mq_message *message, const struct mq_send_options *options, char *ret_id)
{
    bool is_duplicate = false;
    const int error = send_message(queue, message, options, true, ret_id, &is_duplicate);
    if (error)
        return error;
    if (options->ret_duplicates)
        *options->ret_duplicates = is_duplicate;
    expire_some(queue, queue_now(queue));
    (void)outbox_look(queue, queue_now(queue), false);
    return 0;
}
