/* The configuration of a log. */
#include "log/log_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/units.h"

#define FILE_NAME "settings" /* not `config`: whoever opens the log as a queue must not find that malformed */

enum type { DURABILITY, YES_OR_NO, SIZE, DURATION, DURATION_OR_NONE, SIZE_OR_NONE, NUMBER_OR_NONE };

static const struct setting {
    const char *key;
    enum type type;
    size_t offset;
    const char *fallback, *wants;
} settings[] = {
    {"durability", DURABILITY, offsetof(struct log_config, durable), "full", "neither full nor none"},
    {"max-size", SIZE, offsetof(struct log_config, max_size), "256K", "not a size such as 256K"},
    {"retain-time", DURATION_OR_NONE, offsetof(struct log_config, retain_time), "7d",
     "neither a duration such as 7d nor none"},
    {"retain-size", SIZE_OR_NONE, offsetof(struct log_config, retain_size), "none",
     "neither a size such as 10G nor none"},
    {"retain-count", NUMBER_OR_NONE, offsetof(struct log_config, retain_count), "none",
     "neither a number from 1 nor none"},
    {"dedup-window", DURATION, offsetof(struct log_config, dedup_window), "1h", "not a duration such as 1h"},
    {"keep-unread", YES_OR_NO, offsetof(struct log_config, keep_unread), "yes", "neither yes nor no"},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static const char *const keys[SETTINGS + 1] = {"durability",   "max-size",     "retain-time", "retain-size",
                                               "retain-count", "dedup-window", "keep-unread", NULL};

const char *const *mq_log_config_keys(void)
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

static bool parse_quantity(enum type type, const char *text, uint64_t *ret_value)
{
    int64_t duration = 0;
    const bool may_be_none = type != SIZE && type != DURATION;
    *ret_value = 0;
    if (may_be_none && strcmp(text, "none") == 0)
        return true;
    switch (type) {
    case SIZE:
    case SIZE_OR_NONE:
        return units_parse_size(text, ret_value) && (*ret_value > 0 || !may_be_none);
    case NUMBER_OR_NONE:
        return units_parse_number(text, INT64_MAX, ret_value) && *ret_value > 0;
    default:
        *ret_value = units_parse_duration(text, &duration) ? (uint64_t)duration : 0;
        return duration > 0;
    }
}

/* NULL, or what is wrong with the value. */
static const char *apply(struct log_config *config, const struct setting *setting, const char *text)
{
    uint64_t value;
    void *field = (char *)config + setting->offset;
    if (setting->type == DURABILITY) {
        config->durable = strcmp(text, "full") == 0;
        return config->durable || strcmp(text, "none") == 0 ? NULL : setting->wants;
    }
    if (setting->type == YES_OR_NO) {
        config->keep_unread = strcmp(text, "yes") == 0;
        return config->keep_unread || strcmp(text, "no") == 0 ? NULL : setting->wants;
    }
    if (!parse_quantity(setting->type, text, &value))
        return setting->wants;
    memcpy(field, &value, sizeof value); /* int64_t or uint64_t: the value fits both */
    return NULL;
}

static const char *take_setting(void *context, const char *key, const char *value)
{
    const struct setting *setting = find_setting(key);
    return setting ? apply(context, setting, value) : "no such key";
}

int log_config_load(int dir, struct log_config *ret_config, char *ret_problem)
{
    struct log_config config = {0};
    for (size_t i = 0; i < SETTINGS; i++)
        (void)apply(&config, &settings[i], settings[i].fallback);
    const int error = config_read(dir, FILE_NAME, take_setting, &config, ret_problem);
    if (!error)
        *ret_config = config;
    return error;
}

const char *log_config_check(const char *key, const char *value)
{
    struct log_config scratch;
    const struct setting *setting = find_setting(key);
    return !setting ? "no such key" : value ? apply(&scratch, setting, value) : NULL;
}

static void format(const struct log_config *config, const struct setting *setting, char text[CONFIG_VALUE_SIZE])
{
    uint64_t value = 0;
    if (setting->type != DURABILITY && setting->type != YES_OR_NO)
        memcpy(&value, (const char *)config + setting->offset, sizeof value);
    if (setting->type == DURABILITY)
        snprintf(text, CONFIG_VALUE_SIZE, "%s", config->durable ? "full" : "none");
    else if (setting->type == YES_OR_NO)
        snprintf(text, CONFIG_VALUE_SIZE, "%s", config->keep_unread ? "yes" : "no");
    else if (value == 0 && setting->type != SIZE && setting->type != DURATION)
        snprintf(text, CONFIG_VALUE_SIZE, "none");
    else if (setting->type == NUMBER_OR_NONE)
        snprintf(text, CONFIG_VALUE_SIZE, "%" PRIu64, value);
    else if (setting->type == DURATION_OR_NONE || setting->type == DURATION)
        units_format_duration((int64_t)value, text);
    else
        units_format_size(value, text);
}

bool log_config_get(const struct log_config *config, const char *key, char ret_value[CONFIG_VALUE_SIZE])
{
    const struct setting *setting = find_setting(key);
    if (setting)
        format(config, setting, ret_value);
    return setting;
}

int log_config_store(int dir, const char *key, const char *value)
{
    const int tmp = log_config_check(key, value) ? -EINVAL : fs_open_dir(dir, "tmp");
    if (tmp < 0)
        return tmp;
    const int error = config_replace(dir, tmp, FILE_NAME, key, value);
    close(tmp);
    return error;
}
