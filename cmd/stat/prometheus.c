/* The figures of queues as metrics. */
#include "stat/prometheus.h"

#include "base/fs.h"
#include "base/io.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"

struct exposition {
    FILE *stream;
    const struct snapshot_list *list, *topics, *spool;
    bool openmetrics;
};

/* ---- lines ---------------------------------------------------------------------------- */

/* Print the lines that describe a metric. In OpenMetrics the name of a counter lacks the `_total` that its samples
   have. */
static void print_head(const struct exposition *to, const char *name, const char *type, const char *unit,
                       const char *help)
{
    const char *total = strcmp(type, "counter") == 0 && !to->openmetrics ? "_total" : "";
    fprintf(to->stream, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, total, help, name, total, type);
    if (*unit)
        fprintf(to->stream, "# UNIT %s%s %s\n", name, total, unit);
}

static void print_label(FILE *stream, const char *name, const char *value)
{
    fprintf(stream, "%s=\"", name);
    for (; *value; value++) {
        if (*value == '\n') {
            fputs("\\n", stream);
            continue;
        }
        if (*value == '"' || *value == '\\')
            putc('\\', stream);
        putc(*value, stream);
    }
    putc('"', stream);
}

/* Print a sample's name and labels; `label` may be NULL. */
static void begin(const struct exposition *to, const char *name, const char *suffix, const char *queue,
                  const char *label, const char *value)
{
    fprintf(to->stream, "%s%s{", name, suffix);
    print_label(to->stream, "queue", queue);
    if (label) {
        putc(',', to->stream);
        print_label(to->stream, label, value);
    }
    fputs("} ", to->stream);
}

static void print_number(FILE *stream, uint64_t number)
{
    fprintf(stream, "%" PRIu64 "\n", number);
}

/* Print microseconds as seconds, exactly. */
static void print_seconds(FILE *stream, uint64_t microseconds)
{
    fprintf(stream, "%" PRIu64 ".%06" PRIu64 "\n", microseconds / 1000000, microseconds % 1000000);
}

/* ---- metrics -------------------------------------------------------------------------- */

static void print_depths(const struct exposition *to)
{
    print_head(to, "mq_queue_messages", "gauge", "", "Messages in the queue, by state.");
    for (size_t i = 0; i < to->list->count; i++)
        for (int state = 0; state < MQ_STATES; state++) {
            const struct snapshot *snapshot = &to->list->items[i];
            begin(to, "mq_queue_messages", "", snapshot->queue, "state", mq_state_name((enum mq_state)state));
            print_number(to->stream, snapshot->stats.count[state]);
        }
}

static void print_oldest(const struct exposition *to)
{
    static const char name[] = "mq_queue_oldest_message_age_seconds";
    print_head(to, name, "gauge", "seconds", "How long ago the oldest ready message was sent; 0 if none is ready.");
    for (size_t i = 0; i < to->list->count; i++) {
        const struct snapshot *snapshot = &to->list->items[i];
        const int64_t age = snapshot->stats.oldest ? snapshot->taken - snapshot->stats.oldest : 0;
        begin(to, name, "", snapshot->queue, NULL, NULL);
        print_seconds(to->stream, age > 0 ? (uint64_t)age : 0);
    }
}

static void print_paused(const struct exposition *to)
{
    static const struct {
        const char *direction;
        unsigned bit;
    } directions[] = {{"receive", MQ_PAUSE_RECEIVE}, {"send", MQ_PAUSE_SEND}};
    print_head(to, "mq_queue_paused", "gauge", "", "Whether the queue is paused for receivers or senders: 1 or 0.");
    for (size_t i = 0; i < to->list->count; i++)
        for (size_t j = 0; j < sizeof directions / sizeof *directions; j++) {
            begin(to, "mq_queue_paused", "", to->list->items[i].queue, "direction", directions[j].direction);
            print_number(to->stream, (to->list->items[i].stats.paused & directions[j].bit) != 0);
        }
}

static void print_bytes(const struct exposition *to)
{
    print_head(to, "mq_queue_bytes", "gauge", "bytes", "Size of the files of all messages in the queue.");
    for (size_t i = 0; i < to->list->count; i++) {
        begin(to, "mq_queue_bytes", "", to->list->items[i].queue, NULL, NULL);
        print_number(to->stream, to->list->items[i].stats.bytes);
    }
}

static void print_consumers(const struct exposition *to)
{
    static const char name[] = "mq_queue_consumers";
    print_head(to, name, "gauge", "",
               "Processes that receive: those that wait for a message, and those that hold one.");
    for (size_t i = 0; i < to->list->count; i++) {
        if (to->list->items[i].stats.consumers == MQ_UNKNOWN)
            continue;
        begin(to, name, "", to->list->items[i].queue, NULL, NULL);
        print_number(to->stream, to->list->items[i].stats.consumers);
    }
}

/* Groups of logs. */
static void print_lag(const struct exposition *to)
{
    static const char messages[] = "mq_consumer_lag", seconds[] = "mq_consumer_lag_seconds",
                      missed[] = "mq_consumer_missed";
    static const char *const heads[][4] = {
        {messages, "gauge", "", "Messages of the log that the group has not acknowledged."},
        {seconds, "gauge", "seconds",
         "How long ago the message was sent that comes next in the group; 0 if none waits."},
        {missed, "counter", "", "Messages that were removed from the log before the group came to them."}};
    bool any = false;
    for (size_t i = 0; i < to->list->count; i++)
        any |= to->list->items[i].stats.is_group;
    for (size_t head = 0; any && head < sizeof heads / sizeof *heads; head++) {
        print_head(to, heads[head][0], heads[head][1], heads[head][2], heads[head][3]);
        for (size_t i = 0; i < to->list->count; i++) {
            const struct snapshot *snapshot = &to->list->items[i];
            const int64_t age = snapshot->stats.oldest ? snapshot->taken - snapshot->stats.oldest : 0;
            if (!snapshot->stats.is_group)
                continue;
            begin(to, heads[head][0], head == 2 ? "_total" : "", snapshot->queue, NULL, NULL);
            if (head == 1)
                print_seconds(to->stream, age > 0 ? (uint64_t)age : 0);
            else
                print_number(to->stream, head == 0 ? snapshot->stats.lag : snapshot->stats.missed);
        }
    }
}

static const struct {
    const char *name, *help;
    size_t place; /* the offset in struct mq_stats */
} counters[] = {
    {"mq_messages_sent", "Messages sent.", offsetof(struct mq_stats, sent)},
    {"mq_messages_delivered", "Claims made.", offsetof(struct mq_stats, delivered)},
    {"mq_messages_redelivered", "Claims made of messages that had been claimed before.",
     offsetof(struct mq_stats, redelivered)},
    {"mq_messages_acked", "Messages acknowledged.", offsetof(struct mq_stats, acked)},
    {"mq_messages_retried", "Messages given back, lapsed, or revived.", offsetof(struct mq_stats, retried)},
    {"mq_messages_failed", "Attempts that ended by nack, reject or the deadline.", offsetof(struct mq_stats, failed)},
    {"mq_messages_expired", "Messages past their ttl, and dead letters past dead-ttl.",
     offsetof(struct mq_stats, expired)},
    {"mq_messages_duplicates", "Messages not worked on or not sent, because that had been done before.",
     offsetof(struct mq_stats, duplicates)},
    {"mq_messages_dropped", "Messages removed because the queue was full (overflow=drop-oldest).",
     offsetof(struct mq_stats, dropped)},
};

static void print_counters(const struct exposition *to)
{
    for (size_t counter = 0; counter < sizeof counters / sizeof *counters; counter++) {
        print_head(to, counters[counter].name, "counter", "", counters[counter].help);
        for (size_t i = 0; i < to->list->count; i++) {
            uint64_t value;
            memcpy(&value, (const char *)&to->list->items[i].stats + counters[counter].place, sizeof value);
            begin(to, counters[counter].name, "_total", to->list->items[i].queue, NULL, NULL);
            print_number(to->stream, value);
        }
    }
}

static void print_deaths(const struct exposition *to)
{
    print_head(to, "mq_messages_dead", "counter", "", "Messages that became dead letters, by reason.");
    for (size_t i = 0; i < to->list->count; i++)
        for (int death = 0; death < MQ_DEATHS; death++) {
            begin(to, "mq_messages_dead", "_total", to->list->items[i].queue, "reason",
                  mq_death_name((enum mq_death)death));
            print_number(to->stream, to->list->items[i].stats.deaths[death]);
        }
}

static void print_histogram(const struct exposition *to, const struct snapshot *snapshot)
{
    static const char name[] = "mq_message_held_seconds";
    uint64_t count = 0;
    for (int bucket = 0; bucket < MQ_HELD_BUCKETS; bucket++) {
        char limit[32] = "+Inf";
        count += snapshot->stats.held[bucket];
        if (bucket < MQ_HELD_BUCKETS - 1)
            snprintf(limit, sizeof limit, "%.12g", (double)MQ_HELD_LIMIT(bucket) / 1e6);
        begin(to, name, "_bucket", snapshot->queue, "le", limit);
        print_number(to->stream, count);
    }
    begin(to, name, "_sum", snapshot->queue, NULL, NULL);
    print_seconds(to->stream, snapshot->stats.held_total);
    begin(to, name, "_count", snapshot->queue, NULL, NULL);
    print_number(to->stream, count);
}

static const struct {
    const char *name, *help;
    size_t place; /* the offset in struct mq_topic_stats */
} topic_counters[] = {
    {"mq_topic_published", "Messages that came to the topic.", offsetof(struct mq_topic_stats, published)},
    {"mq_topic_routed", "Copies of messages that the topic passed on.", offsetof(struct mq_topic_stats, routed)},
    {"mq_topic_unroutable", "Messages that no binding of the topic took.", offsetof(struct mq_topic_stats, unroutable)},
    {"mq_topic_duplicates", "Messages that were not sent, because they had been sent once before.",
     offsetof(struct mq_topic_stats, duplicates)},
};

static void begin_topic(const struct exposition *to, const char *name, const char *suffix, const char *topic)
{
    fprintf(to->stream, "%s%s{", name, suffix);
    print_label(to->stream, "topic", topic);
    fputs("} ", to->stream);
}

static void print_topics(const struct exposition *to)
{
    const struct snapshot_list *topics = to->topics;
    if (topics->count > 0)
        print_head(to, "mq_topic_bindings", "gauge", "", "Bindings of the topic.");
    for (size_t i = 0; i < topics->count; i++) {
        begin_topic(to, "mq_topic_bindings", "", topics->items[i].queue);
        print_number(to->stream, topics->items[i].topic.bindings);
    }
    for (size_t counter = 0; counter < sizeof topic_counters / sizeof *topic_counters && topics->count > 0; counter++) {
        print_head(to, topic_counters[counter].name, "counter", "", topic_counters[counter].help);
        for (size_t i = 0; i < topics->count; i++) {
            uint64_t value;
            memcpy(&value, (const char *)&topics->items[i].topic + topic_counters[counter].place, sizeof value);
            begin_topic(to, topic_counters[counter].name, "_total", topics->items[i].queue);
            print_number(to->stream, value);
        }
    }
}

static void print_transactions(const struct exposition *to)
{
    if (to->spool->count == 0) /* some queues are asked for, and not the spool */
        return;
    print_head(to, "mq_transactions", "gauge", "", "Transactions in the spool: open, or decided and not finished.");
    fprintf(to->stream, "mq_transactions{state=\"open\"} %" PRIu64 "\n", to->spool->items[0].open);
    fprintf(to->stream, "mq_transactions{state=\"unfinished\"} %" PRIu64 "\n", to->spool->items[0].unfinished);
}

static void print_all(const struct exposition *to)
{
    print_depths(to);
    print_oldest(to);
    print_consumers(to);
    print_lag(to);
    print_bytes(to);
    print_paused(to);
    print_counters(to);
    print_deaths(to);
    print_head(to, "mq_message_held_seconds", "histogram", "seconds",
               "Time that messages were held, from claim to ack.");
    for (size_t i = 0; i < to->list->count; i++)
        print_histogram(to, &to->list->items[i]);
    print_topics(to);
    print_transactions(to);
    if (to->openmetrics)
        fputs("# EOF\n", to->stream);
}

/* ---- output --------------------------------------------------------------------------- */

/* Let the collector, which is another user, read the file, unless the umask forbids it. */
static void let_others_read(int file)
{
    const mode_t mask = umask(0);
    umask(mask);
    (void)fchmod(file, 0644 & ~mask);
}

static int write_and_rename(int dir, const char *name, const char *text, size_t size)
{
    char draft[64];
    snprintf(draft, sizeof draft, ".mq-stat-%d.tmp", (int)getpid()); /* no collector reads such a name */
    (void)fs_unlink(dir, draft); /* one that a dead process of the same number left */
    const int file = fs_make_file(dir, draft, FS_FILE_MODE);
    if (file < 0)
        return file;
    let_others_read(file);
    int error = io_write_all(file, text, size);
    close(file);
    if (!error)
        error = fs_replace(dir, draft, dir, name);
    if (error)
        (void)fs_unlink(dir, draft);
    return error;
}

static int replace_file(const char *path, const char *text, size_t size)
{
    char *directory = cli_must(strdup(path));
    char *slash = strrchr(directory, '/');
    const char *name = slash ? path + (slash - directory) + 1 : path;
    if (slash)
        slash[slash == directory] = '\0'; /* the root keeps its slash */
    const int dir = fs_open_root(slash ? directory : ".", false);
    const int error = dir < 0 ? dir : write_and_rename(dir, name, text, size);
    if (dir >= 0)
        close(dir);
    free(directory);
    return error ? cli_error(error, path, "cannot write the metrics") : STATUS_DONE;
}

int prometheus_write(const struct snapshot_list lists[SNAPSHOT_KINDS], bool openmetrics, const char *path)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = cli_must(open_memstream(&text, &size));
    print_all(&(struct exposition){stream, &lists[SNAPSHOT_QUEUE], &lists[SNAPSHOT_TOPIC], &lists[SNAPSHOT_SPOOL],
                                   openmetrics});
    if (fclose(stream) != 0)
        cli_must(NULL);
    int status = STATUS_DONE;
    if (path)
        status = replace_file(path, text, size);
    else
        fwrite(text, 1, size, stdout);
    free(text);
    return status;
}
