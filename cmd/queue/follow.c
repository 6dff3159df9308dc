/* mq-queue events. */
#include "queue/follow.h"

#include "base/clock.h"
#include "base/grow.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "message/json_write.h"
#include "text/moment.h"
#include "text/text.h"

/* How often new queues are looked for. */
#define LOOK_EVERY INT64_C(250000)

/* While events come without a pause, signals are looked for after this many. */
#define SIGNALS_EVERY 64

struct follow {
    mq_watch *watch;
    mq_queue **queues;
    size_t count, room;
    bool all;       /* all queues of the spool, also new ones */
    bool begun;     /* a queue that is found from now on is new */
    int64_t looked; /* when new queues were last looked for; monotonic */
    unsigned turns; /* rounds of the loop */
    int status;
};

/* ---- printing -------------------------------------------------------------------------- */

static const char *const kinds[] = {
    [MQ_EVENT_SENT] = "sent",         [MQ_EVENT_DUE] = "due",
    [MQ_EVENT_CLAIMED] = "claimed",   [MQ_EVENT_EXTENDED] = "extended",
    [MQ_EVENT_ACKED] = "acked",       [MQ_EVENT_RETRIED] = "retried",
    [MQ_EVENT_RELEASED] = "released", [MQ_EVENT_LEASE_EXPIRED] = "lapsed",
    [MQ_EVENT_DEAD] = "dead",         [MQ_EVENT_EXPIRED] = "expired",
    [MQ_EVENT_REVIVED] = "revived",   [MQ_EVENT_REMOVED] = "removed",
    [MQ_EVENT_LEFT] = "left",         [MQ_EVENT_MISSED] = "missed",
    [MQ_EVENT_DELETED] = "deleted",   [MQ_EVENT_OVERTAKEN] = "overtaken",
};

/* What the event's time is called; NULL: it has none. */
static const char *time_name(const struct mq_event *event)
{
    return event->is && event->time ? mq_state_time_name(event->to) : NULL;
}

static void print_line(const struct mq_event *event)
{
    char now[MOMENT_SIZE], time[MOMENT_SIZE];
    moment_format(clock_now(), now);
    printf("%s %s %s", now, event->queue ? mq_queue_name(event->queue) : "-", kinds[event->kind]);
    if (event->id)
        printf(" %s attempts=%u", event->id, event->attempts);
    if (event->count > 1 || event->kind == MQ_EVENT_OVERTAKEN)
        printf(" count=%u", event->count);
    if (event->was)
        printf(" from=%s", mq_state_name(event->from));
    if (event->is)
        printf(" to=%s", mq_state_name(event->to));
    if (time_name(event)) {
        moment_format(event->time, time);
        printf(" %s=%s", time_name(event), time);
    }
    if (event->owner)
        printf(" owner=%d", (int)event->owner);
    if (event->reason) {
        char *reason = cli_must(malloc(TEXT_ESCAPED(strlen(event->reason))));
        text_escape(event->reason, strlen(event->reason), "", reason);
        printf(" reason=%s", reason);
        free(reason);
    }
    putchar('\n');
}

static void set(json_t *object, const char *name, json_t *value)
{
    if (json_object_set_new(object, name, value))
        cli_must(NULL);
}

/* A reason may hold any bytes, but JSON only UTF-8. */
static json_t *reason_json(const char *reason)
{
    char *text = cli_must(malloc(TEXT_ESCAPED(strlen(reason))));
    const bool plain = text_is_utf8(reason, strlen(reason));
    text_escape(reason, strlen(reason), "", text);
    json_t *string = json_string(plain ? reason : text);
    free(text);
    return string;
}

static void print_object(const struct mq_event *event)
{
    json_t *object = cli_must(json_object());
    set(object, "time", json_moment(clock_now()));
    set(object, "queue", event->queue ? json_string(mq_queue_name(event->queue)) : json_null());
    set(object, "event", json_string(kinds[event->kind]));
    if (event->id) {
        set(object, "id", json_string(event->id));
        set(object, "priority", json_integer(event->priority));
        set(object, "count", json_integer(event->count));
        set(object, "attempts", json_integer(event->attempts));
        set(object, "from", event->was ? json_string(mq_state_name(event->from)) : json_null());
        set(object, "to", event->is ? json_string(mq_state_name(event->to)) : json_null());
    }
    if (event->kind == MQ_EVENT_OVERTAKEN)
        set(object, "count", json_integer(event->count));
    if (time_name(event))
        set(object, time_name(event), json_moment(event->time));
    if (event->owner)
        set(object, "owner", json_integer(event->owner));
    if (event->reason)
        set(object, "reason", reason_json(event->reason));
    json_print(object);
}

/* ---- queues ---------------------------------------------------------------------------- */

static bool is_followed(const struct follow *follow, const char *name)
{
    for (size_t i = 0; i < follow->count; i++)
        if (strcmp(mq_queue_name(follow->queues[i]), name) == 0)
            return true;
    return false;
}

/* Takes over the queue, also after an error. */
static int add(struct follow *follow, mq_queue *queue)
{
    const int error = mq_watch_add(follow->watch, queue, follow->begun);
    if (error) {
        const int status = cli_queue_error(error, mq_queue_name(queue), "cannot watch the queue");
        mq_close(queue);
        return status;
    }
    if (!GROW(follow->queues, follow->count + 1, follow->room))
        cli_must(NULL);
    follow->queues[follow->count++] = queue;
    return STATUS_DONE;
}

static int add_listed(const char *name, void *context)
{
    struct follow *follow = context;
    mq_queue *queue;
    if (!is_followed(follow, name) && mq_open(cli_spool, name, 0, &queue) == 0)
        follow->status = cli_worse(follow->status, add(follow, queue));
    return 0;
}

static int add_named(struct follow *follow, const char *name)
{
    mq_queue *queue;
    if (is_followed(follow, name))
        return STATUS_DONE;
    const int status = cli_open(name, 0, &queue);
    return status == STATUS_DONE ? add(follow, queue) : status;
}

static int add_all(struct follow *follow)
{
    const int error = mq_list(cli_spool, add_listed, follow);
    follow->looked = clock_monotonic();
    return error ? cli_error(error, NULL, "cannot list the queues") : follow->status;
}

static void drop(struct follow *follow, mq_queue *queue)
{
    size_t kept = 0;
    for (size_t i = 0; i < follow->count; i++)
        if (follow->queues[i] != queue)
            follow->queues[kept++] = follow->queues[i];
    follow->count = kept;
    mq_close(queue);
}

/* ---- following ------------------------------------------------------------------------- */

static void take(struct follow *follow, const struct mq_event *event)
{
    if (cli_json)
        print_object(event);
    else
        print_line(event);
    if (event->kind == MQ_EVENT_DELETED)
        drop(follow, event->queue);
}

/* If events come faster than they are printed, there is no wait in which a signal would be noticed. */
static bool is_over(struct follow *follow, int cancel)
{
    return ++follow->turns % SIGNALS_EVERY == 0 && signals_came(cancel);
}

/* The output is flushed before each wait. */
static int follow_on(struct follow *follow, int cancel)
{
    int came = 0;
    while (came >= 0 && (follow->all || follow->count > 0) && !is_over(follow, cancel)) {
        struct mq_event event;
        came = mq_watch_next(follow->watch, 0, cancel, &event);
        if (came == 0) {
            if (fflush(stdout) != 0)
                return STATUS_DONE; /* a signal came, or output_finish reports the error */
            came = mq_watch_next(follow->watch, LOOK_EVERY, cancel, &event);
        }
        if (came == 1)
            take(follow, &event);
        if (follow->all && clock_monotonic() - follow->looked >= LOOK_EVERY)
            follow->status = add_all(follow);
        if (follow->status != STATUS_DONE)
            return follow->status;
    }
    return came < 0 && came != -ECANCELED ? cli_error(came, NULL, "cannot follow") : STATUS_DONE;
}

static int begin(struct follow *follow, char **names, int count)
{
    const int error = mq_watch_new(&follow->watch);
    int status = error ? cli_error(error, NULL, "cannot watch") : STATUS_DONE;
    for (int i = 0; i < count && status == STATUS_DONE; i++)
        status = add_named(follow, names[i]);
    if (status == STATUS_DONE && follow->all)
        status = add_all(follow);
    follow->begun = true;
    return status;
}

int follow_run(char **names, int count)
{
    struct follow follow = {.all = count == 0};
    const int cancel = signals_open(), error = cancel < 0 ? cancel : output_cancel_by(cancel);
    if (error)
        return cli_error(error, NULL, "cannot watch for signals");
    cli_survive_cut_pages();
    int status = begin(&follow, names, count);
    if (status == STATUS_DONE) {
        cli_note(NULL, "following");
        status = follow_on(&follow, cancel);
    }
    mq_watch_free(follow.watch);
    while (follow.count > 0)
        drop(&follow, follow.queues[0]);
    free(follow.queues);
    (void)fflush(stdout);
    signals_obey(cancel);
    return status;
}
