/* Making topics, and their settings. */
#include "topic/topic_settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

#define KEY_SIZE 64

/* Split "KEY=VALUE". The value is NULL for "KEY=" and for a word without `=`. */
static void split(const char *word, char key[KEY_SIZE], const char **ret_value)
{
    const size_t length = strcspn(word, "=");
    snprintf(key, KEY_SIZE, "%.*s", (int)(length < KEY_SIZE ? length : KEY_SIZE - 1), word);
    *ret_value = word[length] && word[length + 1] ? word + length + 1 : NULL;
}

static int fail(int error, const char *topic, const char *key, const char *value)
{
    switch (error) {
    case -ENOKEY:
        return cli_fail(STATUS_CONFIG, topic, "%s: no such key: there are unroutable, durability, dedup-window", key);
    case -ELOOP:
        return cli_fail(STATUS_CONFIG, topic, "%s: '%s' is the topic itself", key, value);
    case -EINVAL:
        if (strcmp(key, "dedup-window") == 0)
            return cli_fail(STATUS_CONFIG, topic, "%s: '%s' is not a duration such as 1h", key, value);
        return cli_fail(STATUS_CONFIG, topic, "%s: '%s' is none of %s", key, value,
                        strcmp(key, "durability") == 0 ? "full and none" : "refuse, drop and the name of another");
    case -ENXIO:
        return cli_fail(STATUS_NO_QUEUE, topic, "%s: nothing is called %s", key, value);
    default:
        return cli_topic_error(error, topic, "cannot set the configuration");
    }
}

static int check(const char *topic, char *const *words, int count)
{
    char key[KEY_SIZE];
    const char *value, *twice = cli_find_twice(words, count);
    if (twice)
        return cli_fail(STATUS_USAGE, topic, "'%s': given twice", twice);
    for (int i = 0; i < count; i++) {
        split(words[i], key, &value);
        if (!strchr(words[i], '='))
            return cli_fail(STATUS_USAGE, topic, "'%s': not KEY=VALUE", words[i]);
        const int error = mq_topic_config_check(cli_spool, topic, key, value);
        if (error)
            return fail(error, topic, key, value);
    }
    return STATUS_DONE;
}

static int set(const char *topic, char *const *words, int count)
{
    char key[KEY_SIZE];
    const char *value;
    int status = check(topic, words, count);
    for (int i = 0; i < count && status == STATUS_DONE; i++) {
        split(words[i], key, &value);
        const int error = mq_topic_config_set(cli_spool, topic, key, value);
        status = error ? fail(error, topic, key, value) : STATUS_DONE;
    }
    return status;
}

static int print(const char *topic, const char *const *keys, int count, bool named)
{
    char value[MQ_QUEUE_NAME_SIZE];
    for (int i = 0; i < count; i++) {
        const int error = mq_topic_config_get(cli_spool, topic, keys[i], value);
        if (error == -ENOKEY)
            return fail(error, topic, keys[i], NULL);
        if (error)
            return cli_topic_error(error, topic, "cannot read the configuration");
        printf("%s%s%s\n", named ? keys[i] : "", named ? " = " : "", value);
    }
    return STATUS_DONE;
}

int topic_config(char **words, int count)
{
    const char *const *all = mq_topic_config_keys();
    bool sets = false;
    int all_count = 0;
    for (int i = 1; i < count; i++)
        sets |= strchr(words[i], '=') != NULL;
    while (all[all_count])
        all_count++;
    if (sets) {
        cli_advice = "mq-topic create makes it";
        return set(words[0], words + 1, count - 1);
    }
    return count > 1 ? print(words[0], (const char *const *)words + 1, count - 1, false)
                     : print(words[0], all, all_count, true);
}

int topic_create(const struct sharing *sharing, char **words, int count)
{
    int status = cli_check_name(words[0]);
    if (status == STATUS_DONE)
        status = check(words[0], words + 1, count - 1);
    if (status != STATUS_DONE)
        return status;
    const int created = sharing->mode ? mq_topic_create_shared(cli_spool, words[0], sharing->mode, sharing->group)
                                      : mq_topic_create(cli_spool, words[0]);
    if (sharing->mode)
        status = sharing_conclude(sharing, words[0], "topic", created);
    else if (created == -EEXIST)
        status = cli_fail(STATUS_CANNOT_CREATE, words[0], "cannot create the topic: there is a queue of that name");
    else if (created < 0)
        status = cli_error(created, words[0], "cannot create the topic");
    return status == STATUS_DONE ? set(words[0], words + 1, count - 1) : status;
}
