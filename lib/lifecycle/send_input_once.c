/* Sending many messages once. */
#include "lifecycle/send_input_once.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "format/content_id.h"
#include "format/encode.h"
#include "format/message.h"
#include "lifecycle/expire.h"
#include "lifecycle/reservation.h"
#include "lifecycle/send.h"
#include "lifecycle/send_once.h"
#include "lifecycle/send_order.h"
#include "lifecycle/send_several.h"

/* What is composed now, for the messages of one file. */
struct sending {
    struct batch batch;
    struct send_input *input;
    size_t count;      /* messages, with those that are in the file twice */
    uint64_t repeated; /* these */
    char id[MQ_ID_SIZE];
};

static int choose_id(const mq_message *message, char ret_id[MQ_ID_SIZE])
{
    strcpy(ret_id, message->name.id);
    return ret_id[0] ? 0 : content_id_make(message, -1, ret_id);
}

static void note(const struct sending *sending, const char *id, bool is_duplicate)
{
    const struct send_input *input = sending->input;
    const struct mq_send_options *options = sending->batch.options;
    if (input->ids)
        strcpy(compose_id(input, sending->count), id);
    if (options->ret_duplicates)
        options->ret_duplicates[input->taken + sending->count] = is_duplicate;
}

/* Take messages as long as they fit, have the same schedule, and have no mark. */
static void fill(struct sending *sending, struct several *several)
{
    struct batch *batch = &sending->batch;
    for (; sending->input->taken + sending->count < sending->input->count; sending->count++) {
        const mq_message *message = compose_message(sending->input, sending->count);
        const struct schedule schedule = draft_schedule(batch->queue, message, batch->now);
        char id[MQ_ID_SIZE];
        if (!compose_fits(batch, message, &schedule) || choose_id(message, id) < 0)
            return;
        const enum several_mark mark = several_mark(several, id);
        const bool has_gap = mark == SEVERAL_IN && batch->queue->outlet; /* the offsets of a log follow each other */
        if (mark == SEVERAL_OTHER || has_gap)
            return;
        if (mark == SEVERAL_MARKED)
            compose_append(batch, message, &schedule, id);
        sending->repeated += mark == SEVERAL_IN;
        note(sending, id, mark == SEVERAL_IN);
    }
}

static int write_and_deliver(struct sending *sending, struct several *several, bool *ret_is_sent)
{
    struct batch *batch = &sending->batch;
    struct draft *draft = several->draft;
    fill(sending, several);
    if (batch->count == 0)
        return -EAGAIN;
    draft->name = batch->first;
    draft->name.count = batch->count;
    const int error = compose_write(batch, draft);
    return error ? error : several_deliver(several, ret_is_sent);
}

/* Whether the next message can begin a file of several. An error shows when it is sent by itself. */
static bool may_begin(struct sending *sending)
{
    struct batch *batch = &sending->batch;
    mq_queue *const queue = batch->queue;
    char id[MQ_ID_SIZE];
    if (sending->input->count - sending->input->taken < 2 || queue_refresh(queue) < 0 ||
        (queue->outlet && !queue->outlet->once) || compose_begin(batch, queue, batch->options) < 0)
        return false;
    const mq_message *message = compose_message(sending->input, 0);
    const struct schedule schedule = draft_schedule(queue, message, batch->now);
    return batch->max_count > 1 && !message->name.others[0] && compose_fits(batch, message, &schedule) &&
           choose_id(message, id) == 0 && several_has_mark(queue, id) == 0;
}

/* The messages that one file may have, if none of them has a mark. */
static void measure(const struct sending *sending, struct reservation_wish *wish)
{
    struct batch batch = sending->batch;
    for (; sending->input->taken + batch.count < sending->input->count; batch.count++) {
        const mq_message *message = compose_message(sending->input, batch.count);
        const struct schedule schedule = draft_schedule(batch.queue, message, batch.now);
        if (!compose_fits(&batch, message, &schedule))
            break;
        batch.schedule = schedule;
        batch.size += encode_room(message);
    }
    wish->count = batch.count;
    wish->bytes = batch.size;
}

/* If there is no room for all of them there may be for some. */
static int reserve(struct sending *sending, struct draft *draft)
{
    struct batch *batch = &sending->batch;
    const struct config *config = &batch->queue->config;
    const struct mq_send_options now = {MQ_SEND_DEFAULTS};
    struct reservation_wish wish = {.state = draft->state};
    int error = -ENOBUFS;
    if (config->max_depth == 0 && config->max_bytes == 0)
        return 0;
    while (error == -ENOBUFS && batch->max_count > 1) {
        measure(sending, &wish);
        error = reservation_wait(batch->queue, &wish, &now, &draft->reservation);
        batch->max_count = error ? wish.count / 2 : wish.count;
    }
    return error;
}

static int send_draft(struct sending *sending, struct draft *draft, bool *ret_is_sent)
{
    mq_queue *queue = sending->batch.queue;
    struct several several;
    if (reserve(sending, draft) < 0)
        return 0;
    int error = several_begin(&several, queue, draft);
    if (!error)
        error = write_and_deliver(sending, &several, ret_is_sent);
    several_end(&several);
    reservation_cancel(queue, &draft->reservation); /* what was delivered is counted */
    return *ret_is_sent || several.has_failed_sync ? error : 0;
}

/* Send the next messages in one file. Not sent, and no error: each of them is to be sent by itself; `sending->count` says
   how many. */
static int send_file(struct sending *sending, bool *ret_is_sent)
{
    struct batch *batch = &sending->batch;
    struct draft draft;
    *ret_is_sent = false;
    sending->count = 0;
    sending->repeated = 0;
    if (!may_begin(sending))
        return 0;
    const mq_message *message = compose_message(sending->input, 0);
    const struct schedule schedule = draft_schedule(batch->queue, message, batch->now);
    const struct message_name name = draft_name(message, &schedule);
    if (draft_open(batch->queue, &name, batch->options, batch->now, &draft) < 0)
        return 0;
    const int error = send_draft(sending, &draft, ret_is_sent);
    draft_close(&draft);
    if (*ret_is_sent)
        page_count(batch->queue->page, PAGE_DUPLICATES, sending->repeated);
    return error;
}

static int send_singly(struct sending *sending, size_t *sent)
{
    const struct send_input *input = sending->input;
    const struct mq_send_options *options = sending->batch.options;
    bool is_duplicate = false;
    const int error = send_message(sending->batch.queue, compose_message(input, 0), options, false,
                                   compose_id(input, 0), &is_duplicate);
    if (error && error != -EINPROGRESS)
        return error;
    if (options->ret_duplicates)
        options->ret_duplicates[*sent] = is_duplicate;
    ++*sent;
    return error;
}

/* ---- what was sent before -------------------------------------------------------------- */

/* The id of a message that could be sent. */
static const char *next_id(void *context, size_t ahead)
{
    struct sending *sending = context;
    const mq_queue *queue = sending->batch.queue;
    if (ahead >= sending->input->count - sending->input->taken)
        return NULL;
    const mq_message *message = compose_message(sending->input, ahead);
    char lane[LANE_KEY_SIZE];
    const bool may_be_sent = message->body_fd < 0 && !message->died && message->body_size <= queue->config.max_size &&
                             draft_check(queue, message) == 0 && draft_lane(queue, message, lane) >= 0;
    if (!may_be_sent || choose_id(message, sending->id) < 0)
        return NULL;
    return sending->id;
}

/* Those that were sent before, up to the first that was not, or may not have been. */
static size_t pass_over(struct sending *sending)
{
    if (queue_refresh(sending->batch.queue) < 0)
        return 0;
    const size_t known = send_once_known(sending->batch.queue, next_id, sending);
    for (sending->count = 0; sending->count < known; sending->count++) {
        (void)choose_id(compose_message(sending->input, sending->count), sending->id);
        note(sending, sending->id, true);
    }
    page_count(sending->batch.queue->page, PAGE_DUPLICATES, known);
    return known;
}

/* ---- all of them ----------------------------------------------------------------------- */

/* Send the next ones. Why a file could not be sent shows when its messages are sent by themselves. */
static int send_next(struct sending *sending, size_t *sent, bool *is_unsafe)
{
    bool is_sent;
    const size_t known = pass_over(sending);
    *sent += known;
    sending->input->taken += known;
    if (known > 0)
        return 0;
    int error = send_file(sending, &is_sent);
    *is_unsafe |= is_sent && error == -EINPROGRESS;
    error = is_sent && error == -EINPROGRESS ? 0 : error;
    if (is_sent && !error)
        *sent += sending->count;
    if (is_sent || error) {
        sending->input->taken += sending->count;
        return error;
    }
    size_t left = sending->count > 0 ? sending->count : 1;
    for (error = 0; left > 0 && !error; left--, sending->input->taken++) {
        error = send_singly(sending, sent);
        *is_unsafe |= error == -EINPROGRESS;
        error = error == -EINPROGRESS ? 0 : error;
    }
    return error;
}

int send_input_once(mq_queue *queue, struct send_input *input, const struct mq_send_options *options, size_t *ret_sent)
{
    struct sending sending = {.batch = {.queue = queue, .options = options}, .input = input};
    bool is_unsafe = false;
    int error = 0;
    *ret_sent = 0;
    while (input->taken < input->count && !error)
        error = send_next(&sending, ret_sent, &is_unsafe);
    free(sending.batch.text);
    const int synced = *ret_sent > 0 && draft_is_durable(queue, options) ? fs_sync_around(queue->dir) : 0;
    if (!synced && *ret_sent > 0)
        expire_some(queue, queue_now(queue));
    *ret_sent = synced ? 0 : *ret_sent;
    return synced ? synced : error ? error : is_unsafe ? -EINPROGRESS : 0;
}
