/* Drafts: files that are to become messages of a queue. */
#include "lifecycle/draft.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "format/batch.h"
#include "format/decode.h"
#include "format/message.h"
#include "lane/lane_of.h"
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
    schedule.attempts = message->name.attempts;
    schedule.max_attempts = name_max_attempts(&message->name);
    schedule.due = message->died ? message->died : message->due ? message->due : name_time_after(now, message->delay);
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
    if (!queue->config.order || message->died)
        return 0;
    return message->name.priority == MQ_PRIORITY_DEFAULT ? lane_of(queue, message, ret_lane) : -EDOM;
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

int draft_check(const mq_queue *queue, const mq_message *message)
{
    char name[MQ_QUEUE_NAME_SIZE];
    for (const char *at = queue->config.require; *at; at += strspn(at, ", ")) {
        const size_t length = strcspn(at, ", ");
        memcpy(name, at, length);
        name[length] = '\0';
        if (!mq_message_header(message, name))
            return -ENODATA;
        at += length;
    }
    return 0;
}

struct written {
    const mq_queue *queue;
    int file;
};

static int check_written(void *context, const struct message_name *name)
{
    const struct written *written = context;
    mq_message *message;
    const int file = fcntl(written->file, F_DUPFD_CLOEXEC, 0);
    int error = file < 0 ? -errno : decode_file(file, name, &message);
    if (error) {
        if (file >= 0)
            close(file);
        return error;
    }
    error = draft_check(written->queue, message);
    mq_message_free(message);
    return error;
}

int draft_check_file(const mq_queue *queue, const struct draft *draft)
{
    struct written written = {queue, draft->file.file};
    if (!queue->config.require[0])
        return 0;
    return draft->name.count > 1 ? batch_walk(draft->file.file, &draft->name, check_written, &written)
                                 : check_written(&written, &draft->name);
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

static int heal_feed(mq_queue *feed)
{
    const int error = feed->outlet->heal(feed->outlet);
    if (!error && feed->tmp >= 0) {
        close(feed->tmp); /* the one that was removed */
        feed->tmp = -1;
    }
    return error;
}

int draft_reopen(mq_queue *queue, const struct draft *draft)
{
    if (queue->is_feed)
        return heal_feed(queue);
    const int error = queue_reopen(queue);
    return error ? error : queue->config.order == draft->order ? 0 : -EBUSY;
}

int draft_open(mq_queue *queue, const struct message_name *name, const struct mq_send_options *options, int64_t now,
               struct draft *ret_draft)
{
    struct draft draft = {.name = *name,
                          .state = name->reason[0]    ? MQ_DEAD
                                   : name->time > now ? MQ_DELAYED
                                                      : MQ_READY,
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

/* A sweep would take an old name in tmp/ for abandoned. */
void draft_set_age(const struct draft *draft, int64_t moment)
{
    const struct timespec at = {moment / CLOCK_SECOND, moment % CLOCK_SECOND * 1000};
    if (draft->file.tmp < 0)
        (void)futimens(draft->file.file, (struct timespec[]){at, at});
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
