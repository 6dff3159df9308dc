/* A queue's settings. */
#include "store/config.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/id.h"
#include "base/io.h"
#include "base/units.h"
#include "format/headers.h"
#include "format/message.h"
#include "format/name.h"
#include "mq.h"
#include "store/access.h"

#define CONFIG "config"
#define FILE_MAX 65536

/* How long to wait for one change that another process makes. */
#define LOCK_PATIENCE (CLOCK_SECOND / 2)
#define LOCK_PATIENCE_OF_HOSTS (10 * CLOCK_SECOND) /* each of them waits for its caches (fs_has_lock) */
#define LOCK_POLL_MILLISECONDS 5

#define ATTEMPTS_MAX 1000000
#define BATCH_COUNT_MAX 4096               /* NAME_COUNT_MAX */
#define BATCH_SIZE_MAX ((uint64_t)8 << 20) /* below NAME_BYTES_MAX */

enum type {
    CHOICE,
    DURATION,
    DURATION_OR_NONE,
    NUMBER_OR_NONE,
    COUNT_OR_NONE,
    SIZE,
    SIZE_OR_NONE,
    BATCH_COUNT,
    BATCH_SIZE,
    NAME_OR_NONE,
    HEADERS_OR_NONE,
    HEADER,
    ORDER
};

#define CHOICES 4

struct setting {
    const char *key;
    enum type type;
    size_t offset;
    const char *fallback;
    const char *choices[CHOICES]; /* the field holds the number of one of them, from 0: a bool or an unsigned char */
};

static const struct setting settings[] = {
    {"durability", CHOICE, offsetof(struct config, durable), "full", {"none", "full"}},
    {"ack-timeout", DURATION, offsetof(struct config, ack_timeout), "30s", {0}},
    {"max-attempts", COUNT_OR_NONE, offsetof(struct config, max_attempts), "5", {0}},
    {"retry-delay", DURATION, offsetof(struct config, retry_delay), "1s", {0}},
    {"retry-max-delay", DURATION, offsetof(struct config, retry_max_delay), "1h", {0}},
    {"ttl", DURATION_OR_NONE, offsetof(struct config, ttl), "none", {0}},
    {"on-expiry", CHOICE, offsetof(struct config, drop_expired), "dead", {"dead", "drop"}},
    {"max-size", SIZE, offsetof(struct config, max_size), "256K", {0}},
    {"max-depth", NUMBER_OR_NONE, offsetof(struct config, max_depth), "none", {0}},
    {"max-bytes", SIZE_OR_NONE, offsetof(struct config, max_bytes), "none", {0}},
    {"overflow", CHOICE, offsetof(struct config, overflow), "refuse", {"refuse", "drop-oldest", "dead-oldest"}},
    {"dead-ttl", DURATION_OR_NONE, offsetof(struct config, dead_ttl), "none", {0}},
    {"dead-letter", NAME_OR_NONE, offsetof(struct config, dead_letter), "none", {0}},
    {"batch-count", BATCH_COUNT, offsetof(struct config, batch_count), "256", {0}},
    {"batch-size", BATCH_SIZE, offsetof(struct config, batch_size), "1M", {0}},
    {"dedup-window", DURATION, offsetof(struct config, dedup_window), "1h", {0}},
    {"keep-results", DURATION, offsetof(struct config, keep_results), "7d", {0}},
    {"keep-results-size", SIZE_OR_NONE, offsetof(struct config, keep_results_size), "100M", {0}},
    {"require", HEADERS_OR_NONE, offsetof(struct config, require), "none", {0}},
    {"paused", CHOICE, offsetof(struct config, paused), "none", {"none", "receive", "send", "all"}},
    {"on-dead", CHOICE, offsetof(struct config, halts), "continue", {"continue", "halt"}},
    {"order", ORDER, offsetof(struct config, order), "none", {0}},
    {"order-by", HEADER, offsetof(struct config, order_by), "Group", {0}},
};
#define SETTINGS (sizeof settings / sizeof *settings)

/* clang-format off */
static const char *const keys[SETTINGS + 1] = {
    "durability", "ack-timeout", "max-attempts", "retry-delay", "retry-max-delay", "ttl", "on-expiry", "max-size",
    "max-depth", "max-bytes", "overflow", "dead-ttl", "dead-letter", "batch-count", "batch-size", "dedup-window",
    "keep-results", "keep-results-size", "require", "paused", "on-dead", "order", "order-by", NULL};
/* clang-format on */

static const char *const orders[] = {"none", "group", "strict"};
#define ORDERS (sizeof orders / sizeof *orders)

const char *const *mq_config_keys(void)
{
    return keys;
}

static const struct setting *find_setting(const char *key)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

static bool may_be_none(enum type type)
{
    return type == DURATION_OR_NONE || type == NUMBER_OR_NONE || type == COUNT_OR_NONE || type == SIZE_OR_NONE;
}

static bool parse_choice(const struct setting *setting, const char *text, void *field)
{
    for (unsigned char i = 0; i < CHOICES && setting->choices[i]; i++)
        if (strcmp(text, setting->choices[i]) == 0) {
            memcpy(field, &i, sizeof i);
            return true;
        }
    return false;
}

static bool parse_quantity(enum type type, const char *text, uint64_t *ret_value)
{
    int64_t duration;
    switch (type) {
    case SIZE:
        return units_parse_size(text, ret_value);
    case SIZE_OR_NONE:
        return units_parse_size(text, ret_value) && *ret_value > 0 && *ret_value <= INT64_MAX;
    case COUNT_OR_NONE:
        return units_parse_number(text, ATTEMPTS_MAX, ret_value) && *ret_value > 0;
    case NUMBER_OR_NONE:
        return units_parse_number(text, INT64_MAX, ret_value) && *ret_value > 0;
    case BATCH_COUNT:
        return units_parse_number(text, BATCH_COUNT_MAX, ret_value) && *ret_value > 0;
    case ORDER:
        for (*ret_value = 0; *ret_value < ORDERS && strcmp(text, orders[*ret_value]) != 0;)
            ++*ret_value;
        return *ret_value < ORDERS;
    case BATCH_SIZE:
        return units_parse_size(text, ret_value) && *ret_value > 0 && *ret_value <= BATCH_SIZE_MAX;
    default:
        if (!units_parse_duration(text, &duration) || duration == 0)
            return false;
        *ret_value = (uint64_t)duration;
        return true;
    }
}

/* NULL, or what is wrong with the value. */
static const char *apply(struct config *config, const struct setting *setting, const char *text)
{
    static const char *const wants[] = {
        [DURATION] = "not a duration such as 30s",
        [DURATION_OR_NONE] = "neither a duration such as 30s nor none",
        [NUMBER_OR_NONE] = "neither a number from 1 nor none",
        [COUNT_OR_NONE] = "neither a number from 1 to 1000000 nor none",
        [SIZE] = "not a size such as 256K",
        [SIZE_OR_NONE] = "neither a size such as 100M nor none",
        [BATCH_COUNT] = "not a number from 1 to 4096",
        [BATCH_SIZE] = "not a size from 1 to 8M",
        [ORDER] = "none of none, group and strict",
    };
    void *field = (char *)config + setting->offset;
    if (setting->type == CHOICE)
        return parse_choice(setting, text, field) ? NULL : "not one of the words it takes";
    if (setting->type == NAME_OR_NONE) {
        const bool none = strcmp(text, "none") == 0;
        if (none || mq_queue_name_is_valid(text))
            strcpy(field, none ? "" : text);
        return none || mq_queue_name_is_valid(text) ? NULL : "neither the name of a queue or topic nor none";
    }
    if (setting->type == HEADERS_OR_NONE) {
        const bool none = strcmp(text, "none") == 0, is = none || headers_are_names(text, MQ_QUEUE_NAME_SIZE);
        if (is)
            strcpy(field, none ? "" : text);
        return is ? NULL : "neither names of headers, with commas between them, nor none";
    }
    if (setting->type == HEADER) {
        const bool is = strlen(text) < MQ_QUEUE_NAME_SIZE && message_is_header_name(text, strlen(text));
        if (is)
            strcpy(field, text);
        return is ? NULL : "not the name of a header";
    }
    uint64_t value = 0;
    if (!(may_be_none(setting->type) && strcmp(text, "none") == 0) && !parse_quantity(setting->type, text, &value))
        return wants[setting->type];
    memcpy(field, &value, sizeof value); /* int64_t or uint64_t: the value fits both */
    return NULL;
}

void config_default(struct config *ret_config)
{
    for (size_t i = 0; i < SETTINGS; i++)
        (void)apply(ret_config, &settings[i], settings[i].fallback);
}

bool config_get(const struct config *config, const char *key, char ret_value[CONFIG_VALUE_SIZE])
{
    const struct setting *setting = find_setting(key);
    if (!setting)
        return false;
    const void *field = (const char *)config + setting->offset;
    if (setting->type == CHOICE) {
        snprintf(ret_value, CONFIG_VALUE_SIZE, "%s", setting->choices[*(const unsigned char *)field]);
        return true;
    }
    if (setting->type == NAME_OR_NONE || setting->type == HEADERS_OR_NONE || setting->type == HEADER) {
        snprintf(ret_value, CONFIG_VALUE_SIZE, "%s", *(const char *)field ? (const char *)field : "none");
        return true;
    }
    uint64_t value;
    memcpy(&value, field, sizeof value);
    if (value == 0 && may_be_none(setting->type))
        snprintf(ret_value, CONFIG_VALUE_SIZE, "none");
    else if (setting->type == SIZE || setting->type == SIZE_OR_NONE || setting->type == BATCH_SIZE)
        units_format_size(value, ret_value);
    else if (setting->type == ORDER)
        snprintf(ret_value, CONFIG_VALUE_SIZE, "%s", orders[value]);
    else if (setting->type == NUMBER_OR_NONE || setting->type == COUNT_OR_NONE || setting->type == BATCH_COUNT)
        snprintf(ret_value, CONFIG_VALUE_SIZE, "%" PRIu64, value);
    else
        units_format_duration((int64_t)value, ret_value);
    return true;
}

/* ---- the file ------------------------------------------------------------------- */

static const char blanks[] = " \t\r";

/* Remove the blanks at both ends. */
static char *trim(char *text)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    text[length] = '\0';
    return text;
}

/* Take "key = value" apart in place. Without any text the key is empty and there is no value. NULL: there is text and
   no `=`. */
static char *split_line(char *line, char **ret_value)
{
    line[strcspn(line, "#")] = '\0';
    char *equals = strchr(line, '=');
    if (equals)
        *equals = '\0';
    char *key = trim(line);
    *ret_value = equals ? trim(equals + 1) : NULL;
    return equals || !*key ? key : NULL;
}

static int explain(char *ret_problem, unsigned line, const char *key, const char *problem)
{
    if (ret_problem)
        snprintf(ret_problem, CONFIG_PROBLEM_SIZE, "line %u: %.64s%s%s", line, key, *key ? ": " : "", problem);
    return -EBADMSG;
}

static int parse_line(config_take_fn *take, void *context, char *line, unsigned number, char *ret_problem)
{
    char *value;
    const char *key = split_line(line, &value);
    if (!key)
        return explain(ret_problem, number, "", "not `key = value`");
    if (!*key && !value)
        return 0;
    const char *problem = take(context, key, value);
    return problem ? explain(ret_problem, number, key, problem) : 0;
}

/* The whole file as text, which the caller frees. -EBADMSG: it is not a text file. */
static int read_file(int queue_dir, const char *name, char **ret_text)
{
    const int file = fs_open_file(queue_dir, name);
    if (file < 0)
        return file;
    char *text = malloc(FILE_MAX + 1);
    const ssize_t size = text ? io_read_at(file, text, FILE_MAX + 1, 0) : -ENOMEM;
    close(file);
    if (size < 0 || size > FILE_MAX || memchr(text, '\0', (size_t)size)) {
        free(text);
        return size < 0 ? (int)size : -EBADMSG;
    }
    text[size] = '\0';
    *ret_text = text;
    return 0;
}

int config_read(int dir, const char *file, config_take_fn *take, void *context, char *ret_problem)
{
    char *text;
    int error = read_file(dir, file, &text);
    if (error == -ENOENT)
        return 0;
    if (error == -EBADMSG && ret_problem)
        snprintf(ret_problem, CONFIG_PROBLEM_SIZE, "line 1: %s is not a text file", file);
    if (error < 0)
        return error;
    char *rest = text, *line;
    for (unsigned number = 1; !error && (line = strsep(&rest, "\n")); number++)
        error = parse_line(take, context, line, number, ret_problem);
    free(text);
    return error;
}

static const char *take_setting(void *context, const char *key, const char *value)
{
    const struct setting *setting = find_setting(key);
    return setting ? apply(context, setting, value) : "no such key";
}

int config_load(int queue_dir, struct config *ret_config, char *ret_problem)
{
    struct config config;
    config_default(&config);
    const int error = config_read(queue_dir, CONFIG, take_setting, &config, ret_problem);
    if (!error)
        *ret_config = config;
    return error;
}

static bool line_sets(const char *line, const char *key)
{
    const size_t length = strlen(key);
    line += strspn(line, blanks);
    if (strncmp(line, key, length) != 0)
        return false;
    return line[length + strspn(line + length, blanks)] == '=';
}

/* Print the old text without the lines of `key`, and then the new line. */
static void print_changed(FILE *out, const char *text, const char *key, const char *value)
{
    while (*text) {
        const size_t length = strcspn(text, "\n");
        if (!line_sets(text, key))
            fprintf(out, "%.*s\n", (int)length, text);
        text += length + (text[length] == '\n');
    }
    if (value)
        fprintf(out, "%s = %s\n", key, value);
}

static int write_file(int queue_dir, int tmp, const char *file_name, const char *text, size_t size)
{
    char name[32];
    unsigned sharing;
    int error = access_read(queue_dir, &sharing);
    if (error)
        return error;
    snprintf(name, sizeof name, "config-%016" PRIx64, id_random());
    const int file = fs_make_file(tmp, name, access_mode(sharing, ACCESS_CONFIG));
    if (file < 0)
        return file;
    error = io_write_all(file, text, size);
    if (!error)
        error = fs_sync_data(file);
    close(file);
    if (!error)
        error = fs_replace(tmp, name, queue_dir, file_name);
    if (error)
        fs_unlink(tmp, name);
    return error ? error : fs_sync_passage(queue_dir, tmp);
}

static bool is_fixed(const char *key)
{
    return find_setting(key)->type == ORDER || find_setting(key)->type == HEADER;
}

/* The order is fixed when a queue is made. */
static int check_against_order(int queue_dir, const char *key, const char *value)
{
    struct config config;
    char old[CONFIG_VALUE_SIZE];
    if (!is_fixed(key))
        return 0;
    const int error = config_load(queue_dir, &config, NULL);
    if (error)
        return error;
    config_get(&config, key, old);
    return strcmp(old, value ? value : find_setting(key)->fallback) == 0 ? 0 : -EPERM;
}

static int store_locked(int queue_dir, int tmp, const char *file, const char *key, const char *value)
{
    char *text = NULL, *changed = NULL;
    size_t size;
    int error = read_file(queue_dir, file, &text);
    if (error < 0 && error != -ENOENT)
        return error;
    FILE *out = open_memstream(&changed, &size);
    if (out) {
        print_changed(out, text ? text : "", key, value);
        error = fclose(out) == 0 ? write_file(queue_dir, tmp, file, changed, size) : -ENOMEM;
    } else {
        error = -ENOMEM;
    }
    free(text);
    free(changed);
    return error;
}

/* Only a new value is checked for this: the longest duration that names can express becomes shorter every day, and a
   value that was set earlier stays valid. */
static const char *check_expressible(const struct config *config, const struct setting *setting)
{
    int64_t duration;
    if (setting->type != DURATION && setting->type != DURATION_OR_NONE)
        return NULL;
    memcpy(&duration, (const char *)config + setting->offset, sizeof duration);
    return name_can_say_after(clock_now(), duration) ? NULL : "longer than the names of messages can tell: up to 2112";
}

int mq_config_check(const char *key, const char *value, char *ret_text, size_t size)
{
    const struct setting *setting = find_setting(key);
    struct config scratch;
    const char *problem = !setting ? "no such key" : value ? apply(&scratch, setting, value) : NULL;
    if (!problem && value)
        problem = check_expressible(&scratch, setting);
    if (problem)
        snprintf(ret_text, size, "%s", problem);
    return problem ? -EINVAL : 0;
}

/* Note which file the configuration is, and when it was last changed. */
static void see_settings(int queue_dir, const char *file, struct stat *ret_status)
{
    if (fstatat(queue_dir, file, ret_status, AT_SYMLINK_NOFOLLOW) < 0)
        *ret_status = (struct stat){0};
}

static bool have_changed(int queue_dir, const char *file, struct stat *seen)
{
    const struct stat before = *seen;
    see_settings(queue_dir, file, seen);
    return before.st_ino != seen->st_ino || before.st_ctim.tv_sec != seen->st_ctim.tv_sec ||
           before.st_ctim.tv_nsec != seen->st_ctim.tv_nsec;
}

/* Any user who may receive can hold this lock for ever, so the wait is limited. It begins anew whenever another process
   has completed a change. -EAGAIN: another process holds the lock. */
static int take_lock(int queue_dir, const char *file, int lock)
{
    struct stat seen;
    int64_t since = clock_monotonic();
    see_settings(queue_dir, file, &seen);
    while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (have_changed(queue_dir, file, &seen))
            since = clock_monotonic();
        const int64_t waited = clock_monotonic() - since;
        if (waited > LOCK_PATIENCE && (waited > LOCK_PATIENCE_OF_HOSTS || !fs_is_lock_of_hosts(lock)))
            return -EAGAIN;
        (void)poll(NULL, 0, LOCK_POLL_MILLISECONDS);
    }
    return 0;
}

int config_store(int queue_dir, int tmp, const char *key, const char *value)
{
    char problem[CONFIG_PROBLEM_SIZE];
    int wrong = mq_config_check(key, value, problem, sizeof problem);
    if (!wrong)
        wrong = check_against_order(queue_dir, key, value);
    return wrong ? wrong : config_replace(queue_dir, tmp, CONFIG, key, value);
}

int config_replace(int queue_dir, int tmp, const char *file, const char *key, const char *value)
{
    /* With the lock, two administrators who change different keys at once both succeed. A user who may only look cannot
       open tmp/, so he cannot hold it. */
    const int lock = fs_open_lock(tmp);
    if (lock < 0)
        return lock;
    int error = take_lock(queue_dir, file, lock);
    if (!error) /* a sweep that removes the file that is locked comes once a day, and the user can try again */
        error = fs_has_lock(lock) ? store_locked(queue_dir, tmp, file, key, value) : -EAGAIN;
    close(lock);
    return error;
}

int config_make(int queue_dir, int tmp, const char *key, const char *value)
{
    return store_locked(queue_dir, tmp, CONFIG, key, value);
}
