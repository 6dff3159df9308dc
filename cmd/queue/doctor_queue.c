/* mq-queue doctor: one queue, its dead letters, its settings and its hosts. */
#include "queue/doctor_queue.h"

#include "base/clock.h"
#include "base/units.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "queue/finding.h"
#include "text/human.h"

#define SECOND INT64_C(1000000)
#define LAG_MOST (3600 * SECOND) /* as in the alert MqGroupLags */

/* The value of a setting, as a duration or a size; -1: it is none, or not set. */
static int64_t setting(mq_queue *queue, const char *key)
{
    char text[UNITS_TEXT_SIZE + 256];
    int64_t duration;
    uint64_t size;
    if (mq_config_get(queue, key, text, sizeof text) != 0)
        return -1;
    if (units_parse_duration(text, &duration))
        return duration;
    return units_parse_size(text, &size) && size <= INT64_MAX ? (int64_t)size : -1;
}

/* Each pair is reported if the first is set and larger than the second, which is set, too. */
static const struct pair {
    const char *larger, *smaller, *problem;
} pairs[] = {
    {"retry-delay", "retry-max-delay", "is more than retry-max-delay, and never used"},
    {"max-size", "max-bytes", "is more than max-bytes: a body between them is refused for ever"},
    {"retry-delay", "ttl", "is more than ttl: a message expires before its second attempt"},
    {"ack-timeout", "ttl", "is more than ttl: a message that a killed consumer had expires before it comes back"},
};

static void look_at_settings(mq_queue *queue, const char *name)
{
    char target[256], advice[256];
    snprintf(advice, sizeof advice, "see `mq-queue config %s`", name);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const int64_t larger = setting(queue, pairs[i].larger), smaller = setting(queue, pairs[i].smaller);
        if (larger >= 0 && smaller >= 0 && larger > smaller)
            finding_add(FINDING_WARNING, name, advice, "its %s %s", pairs[i].larger, pairs[i].problem);
    }
    if (mq_config_get(queue, "dead-letter", target, sizeof target) != 0 || strcmp(target, "none") == 0)
        return;
    const int error = mq_dead_letter_check(cli_spool, name, target);
    if (error == -ENXIO)
        finding_add(FINDING_CRITICAL, name, advice, "its dead letters go to %s, which does not exist: they stay",
                    target);
    else if (error == -ELOOP)
        finding_add(FINDING_CRITICAL, name, advice, "its dead letters go to %s, from where they may come back", target);
    else if (error)
        finding_add(FINDING_UNKNOWN, name, NULL, "dead-letter: %s: %s", target, cli_reason(error));
}

/* On a file system of one host receivers do not hear the senders of another one. */
static void look_at_hosts(mq_queue *queue, const char *name)
{
    char path[PATH_MAX], directory[PATH_MAX + 160], advice[512];
    if (mq_spool_path(cli_spool, path, sizeof path) != 0)
        return;
    snprintf(directory, sizeof directory, "%s/%s/host", path, name);
    snprintf(advice, sizeof advice, "use it from one machine; if others only did so once, remove their pages in %.400s",
             directory);
    DIR *stream = opendir(directory);
    unsigned pages = 0;
    for (const struct dirent *entry; stream && (entry = readdir(stream));)
        pages += entry->d_name[0] != '.';
    if (stream)
        closedir(stream);
    if (pages > 1 && !mq_queue_is_on_network(queue))
        finding_add(FINDING_WARNING, name, advice, "it has pages of %u hosts", pages);
}

/* ---- the clocks of several hosts --------------------------------------------------- */

#define FUTURE_LEAST SECOND /* so much the hosts' readings may differ */

struct future {
    int64_t now, most;
    char host[16];
};

static int find_future(const struct mq_entry *entry, void *context)
{
    struct future *future = context;
    const int64_t ahead = entry->begun - future->now;
    if (ahead > future->most && !entry->is_here) {
        future->most = ahead;
        snprintf(future->host, sizeof future->host, "%s", entry->host ? entry->host : "?");
    }
    return 0;
}

/* Some file systems take the time of a file from the host that makes it. Then only others notice that its clock is ahead. */
static void look_for_future(mq_queue *queue, const char *name, int64_t skew)
{
    char ahead[HUMAN_SIZE];
    struct future future = {.now = clock_now() - skew, .most = FUTURE_LEAST};
    if (mq_browse(queue, MQ_INFLIGHT, find_future, &future) != 0 || !future.host[0])
        return;
    human_age(future.most, ahead);
    finding_add(FINDING_WARNING, name, "set both clocks, and see that they are kept right (NTP)",
                "a claim of host %s began in the future, by %s: its clock is ahead", future.host, ahead);
}

static void look_at_clocks(mq_queue *queue, const char *name)
{
    int64_t skew;
    char text[HUMAN_SIZE];
    if (!mq_queue_is_on_network(queue))
        return;
    const bool is_too_much = mq_queue_skew(queue, &skew);
    human_age(skew < 0 ? -skew : skew, text);
    if (is_too_much)
        finding_add(FINDING_WARNING, name, "set it, and see that it is kept right (NTP)",
                    "this host's clock is %s %s that of the file system, more than its ack-timeout", text,
                    skew < 0 ? "behind" : "ahead of");
    look_for_future(queue, name, skew);
}

/* Returns whether a group of a log lags behind. */
static bool look_at_lag(const struct mq_stats *stats, const char *name)
{
    char advice[512], age[HUMAN_SIZE];
    const int64_t oldest = stats->oldest ? clock_now() - stats->oldest : 0;
    if (!stats->is_group || stats->lag == 0 || oldest <= LAG_MOST)
        return false;
    human_age(oldest, age);
    snprintf(advice, sizeof advice,
             "run more consumers; if nobody needs the group any more, `mq-queue delete %s`, since it may keep its log "
             "from removing anything",
             name);
    finding_add(FINDING_WARNING, name, advice, "it lags behind its log by %" PRIu64 " messages, the first is %s old",
                stats->lag, age);
    return true;
}

static void look_at_messages(mq_queue *queue, const char *name)
{
    struct mq_stats stats;
    char advice[256];
    const int error = mq_stat(queue, false, &stats);
    if (error) {
        finding_add(FINDING_UNKNOWN, name, NULL, "cannot be counted: %s", cli_reason(error));
        return;
    }
    snprintf(advice, sizeof advice, "see `mq-dlq list %s`", name);
    if (stats.count[MQ_DEAD] > 0)
        finding_add(FINDING_WARNING, name, advice, "dead letters: %" PRIu64, stats.count[MQ_DEAD]);
    if (!look_at_lag(&stats, name) && stats.count[MQ_DEAD] == 0)
        finding_add(FINDING_OK, name, NULL, "%" PRIu64 " ready, no dead letters", stats.count[MQ_READY]);
}

void doctor_queue(const char *name)
{
    mq_queue *queue;
    char advice[256];
    const int error = mq_open(cli_spool, name, 0, &queue);
    if (error == -ENOENT)
        return; /* deleted meanwhile */
    if (error == -EBADMSG) {
        snprintf(advice, sizeof advice, "`mq-queue config %s` says where", name);
        finding_add(FINDING_CRITICAL, name, advice, "its configuration is malformed: nothing can be sent or received");
        return;
    }
    if (error) {
        finding_add(FINDING_UNKNOWN, name, error == -EACCES ? "it belongs to another user: run this as that one" : NULL,
                    "cannot be opened: %s", cli_reason(error));
        return;
    }
    look_at_messages(queue, name);
    look_at_settings(queue, name);
    look_at_hosts(queue, name);
    look_at_clocks(queue, name);
    mq_close(queue);
}
