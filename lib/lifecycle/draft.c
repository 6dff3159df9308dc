/* Drafts: files that are to become messages of a queue. */
#include "lifecycle/draft.h"

#include <errno.h>
#include <sys/auxv.h>

#include "base/clock.h"
#include "format/message.h"
#include "store/adopt.h"

/* After the queue was deleted and made anew this many times, opening a draft fails. */
#define TRIES 100

/* A sender gives up after a day. The sweep (sweep.c) removes a file in tmp/ only when it is well older than that. */
#define WRITER_LIFE (24 * 3600 * CLOCK_SECOND)

struct schedule draft_schedule(const mq_queue *queue, const mq_message *message, int64_t now)
{
    struct schedule schedule = {.priority = message->name.priority, .expires = message->name.expires};
    const int64_t ttl = message->ttl ? message->ttl : queue->config.ttl;
    if (!schedule.expires && ttl)
        schedule.expires = name_time_after(now, ttl);
    schedule.due = message->due ? message->due : name_time_after(now, message->delay);
    return schedule;
}

struct message_name draft_name(const mq_message *message, const struct schedule *schedule)
{
    struct message_name name = message->name;
    name.priority = schedule->priority;
    name.time = schedule->due;
    name.expires = schedule->expires;
    return name;
}

bool draft_is_durable(const mq_queue *queue, const struct mq_send_options *options)
{
    return queue->config.durable && !options->no_sync;
}

int draft_lane(const mq_queue *queue, const mq_message *message, char ret_lane[LANE_KEY_SIZE])
{
    ret_lane[0] = '\0';
    if (!queue->config.order)
        return 0;
    if (message->name.priority != MQ_PRIORITY_DEFAULT)
        return -EDOM;
    const char *group = queue->config.order == CONFIG_STRICT ? "" : mq_message_header(message, "Group");
    if (!group)
        return 0;
    lane_name_key(group, ret_lane);
    return 1;
}

/* Root may send to another user's private queue, whose owner must be able to read the message. */
static int give_to_owner(mq_queue *queue, const struct draft *draft)
{
    if (getauxval(AT_EUID) != 0 || access_is_shared(queue->sharing))
        return 0;
    const int error = queue->identified ? 0 : fs_identify(queue->dir, &queue->identity);
    queue->identified = !error;
    if (error || queue->identity.owner == 0)
        return error;
    return fs_set_owner(draft->file.file, queue->identity.owner, queue->identity.group);
}

static int open_file(mq_queue *queue, struct draft *draft)
{
    int error = queue_demand(queue, ACCESS_SEND);
    const mode_t mode = access_mode(queue->sharing, ACCESS_FILE);
    draft->openings = queue->openings;
    if (error)
        return error;
    error = queue->names_drafts ? fs_draft_open_named(&draft->file, queue->dir, "tmp", mode)
                                : fs_draft_open(&draft->file, queue->dir, "tmp", mode);
    if (error)
        return error;
    error = give_to_owner(queue, draft);
    if (error)
        fs_draft_close(&draft->file);
    return error;
}

int draft_reopen(mq_queue *queue, const struct draft *draft)
{
    const int error = queue_reopen(queue);
    return error ? error : queue->config.order == draft->order ? 0 : -EBUSY;
}

int draft_open(mq_queue *queue, const struct message_name *name, const struct mq_send_options *options, int64_t now,
               struct draft *ret_draft)
{
    struct draft draft = {.name = *name,
                          .state = name->time > now ? MQ_DELAYED : MQ_READY,
                          .durable = draft_is_durable(queue, options),
                          .begun = clock_monotonic(),
                          .order = queue->config.order};
    int error = open_file(queue, &draft);
    for (int tries = 0; tries < TRIES && error == -ENOENT; tries++) {
        error = draft_reopen(queue, &draft); /* the queue was deleted */
        if (error)
            return error;
        error = open_file(queue, &draft);
    }
    if (!error)
        *ret_draft = draft;
    return error;
}

bool draft_is_too_old(const struct draft *draft)
{
    return clock_monotonic() - draft->begun >= WRITER_LIFE;
}

void draft_close(struct draft *draft)
{
    fs_draft_close(&draft->file);
}

int draft_link(mq_queue *queue, struct draft *draft, int dir, const char *text)
{
    int error = draft->openings == queue->openings ? 0 : adopt_draft(queue->dir, queue->sharing, &draft->file);
    if (error)
        return error;
    draft->openings = queue->openings;
    error = fs_draft_link(&draft->file, dir, text);
    if (error != -ENXIO)
        return error;
    queue->names_drafts = true; /* later drafts have a name in tmp/ from the beginning */
    error = adopt_unnamed(queue->dir, queue->sharing, &draft->file);
    return error ? error : fs_draft_link(&draft->file, dir, text);
}
