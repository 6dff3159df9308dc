/* Sending a message: a file of its own. */
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "format/encode.h"
#include "lifecycle/expire.h"
#include "lifecycle/outbox.h"
#include "lifecycle/publish.h"

static int write_and_publish(mq_queue *queue, const mq_message *message, struct draft *draft,
                             const struct mq_send_options *options, int64_t now)
{
    size_t published;
    int error = publish_open(queue, draft);
    if (error)
        return error;
    error = encode_to_file(message, &draft->name, now, queue->config.max_size, draft->file.file, &draft->size);
    if (!error)
        error = publish(queue, draft, 1, options, &published);
    publish_close(draft);
    return error;
}

int mq_send(mq_queue *queue, mq_message *message, const struct mq_send_options *options, char *ret_id)
{
    int error = queue_refresh(queue);
    if (error)
        return error;
    const int64_t now = clock_now();
    const struct schedule schedule = publish_schedule(queue, message, now);
    struct draft draft = {.name = publish_name(message, &schedule)};
    if (!draft.name.id[0])
        id_make(now, draft.name.id);
    draft.state = publish_state(&draft.name, now);
    draft.durable = queue->config.durable && !options->no_sync;
    error = write_and_publish(queue, message, &draft, options, now);
    if (error)
        return error;
    if (ret_id)
        memcpy(ret_id, draft.name.id, strlen(draft.name.id) + 1);
    expire_some(queue, now);
    (void)outbox_look(queue, now, false);
    return 0;
}
