/*
 * Settings of topics: the file `settings`, with a line `KEY = VALUE` for each that is not the default. It is replaced under
 * the lock on feed/, as the bindings are.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/units.h"
#include "log/log.h"
#include "route/topic.h"
#include "store/spool.h"

#define CONFIG_SIZE 512 /* of the text that is written */
#define VALUE_SIZE MQ_QUEUE_NAME_SIZE

/* ---- the keys ---------------------------------------------------------------------------------- */

static bool parse_unroutable(const char *text, struct route_topic *topic)
{
    if (strcmp(text, "refuse") == 0)
        topic->unroutable = ROUTE_REFUSE;
    else if (strcmp(text, "drop") == 0)
        topic->unroutable = ROUTE_DROP;
    else if (mq_queue_name_is_valid(text))
        topic->unroutable = ROUTE_ALTERNATE;
    else
        return false;
    if (topic->unroutable == ROUTE_ALTERNATE)
        strcpy(topic->alternate, text);
    return true;
}

static void show_unroutable(const struct route_topic *topic, char text[VALUE_SIZE])
{
    static const char *const words[] = {[ROUTE_REFUSE] = "refuse", [ROUTE_DROP] = "drop"};
    strcpy(text, topic->unroutable == ROUTE_ALTERNATE ? topic->alternate : words[topic->unroutable]);
}

static bool parse_durability(const char *text, struct route_topic *topic)
{
    topic->no_sync = strcmp(text, "none") == 0;
    return topic->no_sync || strcmp(text, "full") == 0;
}

static void show_durability(const struct route_topic *topic, char text[VALUE_SIZE])
{
    strcpy(text, topic->no_sync ? "none" : "full");
}

static bool parse_dedup_window(const char *text, struct route_topic *topic)
{
    return units_parse_duration(text, &topic->dedup_window);
}

static void show_dedup_window(const struct route_topic *topic, char text[VALUE_SIZE])
{
    units_format_duration(topic->dedup_window, text);
}

static const struct key {
    const char *name, *initially;
    bool (*parse)(const char *text, struct route_topic *topic);
    void (*show)(const struct route_topic *topic, char text[VALUE_SIZE]);
} keys[] = {
    {"unroutable", "refuse", parse_unroutable, show_unroutable},
    {"durability", "full", parse_durability, show_durability},
    {"dedup-window", "1h", parse_dedup_window, show_dedup_window},
};
#define KEYS (sizeof keys / sizeof *keys)

const char *const *mq_topic_config_keys(void)
{
    static const char *const names[KEYS + 1] = {"unroutable", "durability", "dedup-window", NULL};
    return names;
}

static const struct key *find_key(const char *name)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

/* ---- the file ---------------------------------------------------------------------------------- */

static bool parse_line(char *line, struct route_topic *topic)
{
    char *equals = strstr(line, " = ");
    if (!equals)
        return false;
    *equals = '\0';
    const struct key *key = find_key(line);
    return key && key->parse(equals + 3, topic);
}

int topic_read_config(int dir, struct route_topic *topic)
{
    char *text, *rest, *line;
    size_t size;
    for (size_t i = 0; i < KEYS; i++)
        (void)keys[i].parse(keys[i].initially, topic);
    int error = topic_read_file(dir, TOPIC_SETTINGS, &text, &size);
    if (error)
        return error == -ENOENT ? 0 : error;
    rest = text;
    while (!error && (line = strsep(&rest, "\n")))
        error = !*line || parse_line(line, topic) ? 0 : -EBADMSG;
    free(text);
    return error;
}

int topic_read(int dir, struct bindings *ret_bindings, struct route_topic *topic)
{
    char problem[BINDINGS_PROBLEM_SIZE];
    const int error = topic_read_bindings(dir, ret_bindings, problem);
    return error ? error : topic_read_config(dir, topic);
}

static int write_config(int dir, int feed, const struct fs_guard *guard, const struct route_topic *topic)
{
    char text[CONFIG_SIZE];
    size_t size = 0;
    for (size_t i = 0; i < KEYS; i++) {
        char value[VALUE_SIZE];
        keys[i].show(topic, value);
        if (strcmp(value, keys[i].initially) != 0)
            size += (size_t)snprintf(text + size, sizeof text - size, "%s = %s\n", keys[i].name, value);
    }
    return topic_write_file(dir, feed, TOPIC_SETTINGS, text, size, guard);
}

/* ---- reading and setting ----------------------------------------------------------------------- */

/* What gets the rest is there. A topic stays until `ret_held` is closed; -1: it is a queue or log. */
static int hold_alternate(int spool, const struct route_topic *topic, int *ret_held)
{
    *ret_held = -1;
    if (topic->unroutable != ROUTE_ALTERNATE)
        return 0;
    const int held = topic_hold(spool, topic->alternate, LOCK_SH);
    if (held >= 0)
        *ret_held = held;
    if (held != -ENOENT)
        return held < 0 && held != -EBADF ? held : 0;
    return spool_has_queue(spool, topic->alternate) == 1 || log_is_there(spool, topic->alternate) == 1 ? 0 : -ENXIO;
}

static int parse(const char *topic, const char *name, const char *value, struct route_topic *ret_parsed)
{
    const struct key *key = find_key(name);
    if (!key)
        return -ENOKEY;
    if (!key->parse(value ? value : key->initially, ret_parsed))
        return -EINVAL;
    return value && key->parse == parse_unroutable && strcmp(value, topic) == 0 ? -ELOOP : 0;
}

int mq_topic_config_check(const char *spool_path, const char *topic, const char *key, const char *value)
{
    struct route_topic parsed = {0};
    int held = -1, error = parse(topic, key, value, &parsed);
    if (error || parsed.unroutable != ROUTE_ALTERNATE)
        return error;
    const int spool = spool_open(spool_path, false);
    error = spool == -ENOENT ? -ENXIO : spool < 0 ? spool : hold_alternate(spool, &parsed, &held);
    if (held >= 0)
        close(held);
    if (spool >= 0)
        close(spool);
    return error;
}

/* Two who set different keys at once must both succeed. */
static int set_locked(int spool, int dir, const char *topic, const char *key, const char *value)
{
    struct route_topic parsed;
    const int feed = topic_open_feed(dir);
    if (feed < 0)
        return feed;
    struct fs_guard guard;
    const int lock = fs_lock(feed);
    int held = -1, error = lock < 0 ? lock : fs_guard(lock, dir, TOPIC_SETTINGS, &guard);
    if (!error)
        error = topic_read_config(dir, &parsed);
    if (!error)
        error = parse(topic, key, value, &parsed);
    if (!error)
        error = hold_alternate(spool, &parsed, &held);
    if (!error)
        error = write_config(dir, feed, &guard, &parsed);
    if (held >= 0)
        close(held);
    if (lock >= 0)
        close(lock);
    close(feed);
    return error;
}

int mq_topic_config_set(const char *spool_path, const char *topic, const char *key, const char *value)
{
    struct route_topic parsed;
    int spool, error = parse(topic, key, value, &parsed);
    const int dir = error ? error : topic_open_at(spool_path, topic, &spool);
    if (dir < 0)
        return dir;
    error = set_locked(spool, dir, topic, key, value);
    close(dir);
    close(spool);
    return error;
}

int mq_topic_config_get(const char *spool_path, const char *topic, const char *name, char *ret_value)
{
    struct route_topic read;
    int spool;
    const struct key *key = find_key(name);
    const int dir = key ? topic_open_at(spool_path, topic, &spool) : -ENOKEY;
    if (dir < 0)
        return dir;
    const int error = topic_read_config(dir, &read);
    if (!error)
        key->show(&read, ret_value);
    close(dir);
    close(spool);
    return error;
}
