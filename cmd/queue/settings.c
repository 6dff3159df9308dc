/* The configuration of a queue on the command line. */
#include "queue/settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "text/text.h"

#define KEY_SIZE 64
#define VALUE_SIZE MQ_QUEUE_NAME_SIZE
#define PROBLEM_SIZE 128

/* Split "KEY=VALUE". The value is NULL for "KEY=" and for a word without `=`. */
static void split(const char *word, char key[KEY_SIZE], const char **ret_value)
{
    const size_t length = strcspn(word, "=");
    snprintf(key, KEY_SIZE, "%.*s", (int)(length < KEY_SIZE ? length : KEY_SIZE - 1), word);
    *ret_value = word[length] && word[length + 1] ? word + length + 1 : NULL;
}

static const char *names_of_keys(void)
{
    static char names[512];
    names[0] = '\0';
    for (const char *const *key = mq_config_keys(); *key; key++)
        text_list(names, sizeof names, *key);
    return names;
}

static int check_setting(const char *queue, const char *key, const char *value)
{
    char problem[PROBLEM_SIZE];
    if (mq_config_check(key, NULL, problem, sizeof problem) != 0)
        return cli_fail(STATUS_CONFIG, queue, "%s: %s: there are %s", key, problem, names_of_keys());
    if (mq_config_check(key, value, problem, sizeof problem) != 0)
        return cli_fail(STATUS_CONFIG, queue, "%s: '%s' is %s", key, value, problem);
    return STATUS_DONE;
}

/* Before anything is made or set: dead letters need a place to go to. */
static int check_dead_letter(const char *queue, const char *name)
{
    const int error = name && strcmp(name, "none") != 0 ? mq_dead_letter_check(cli_spool, queue, name) : 0;
    if (error == -ENXIO)
        return cli_fail(STATUS_NO_QUEUE, queue, "dead-letter: %s: no such queue, topic or log", name);
    if (error == -ELOOP)
        return cli_fail(STATUS_CONFIG, queue, "dead-letter: %s: dead letters would go in a circle", name);
    if (error == -EBADMSG)
        return cli_fail(STATUS_CONFIG, queue, "dead-letter: %s: a topic or queue that it leads to is malformed", name);
    return error ? cli_fail(cli_status(error), queue, "dead-letter: %s: %s", name, cli_reason(error)) : STATUS_DONE;
}

int settings_check(const char *queue, char **words, int count)
{
    char key[KEY_SIZE];
    const char *value;
    const char *twice = cli_find_twice(words, count);
    int status = twice ? cli_fail(STATUS_USAGE, queue, "'%s': given twice", twice) : STATUS_DONE;
    for (int i = 0; i < count && status == STATUS_DONE; i++) {
        split(words[i], key, &value);
        status = strchr(words[i], '=') ? check_setting(queue, key, value)
                                       : cli_fail(STATUS_USAGE, queue, "'%s': not KEY=VALUE", words[i]);
        if (status == STATUS_DONE && strcmp(key, "dead-letter") == 0)
            status = check_dead_letter(queue, value);
    }
    return status;
}

int settings_set(const char *queue, char **words, int count)
{
    char key[KEY_SIZE];
    const char *value;
    for (int i = 0; i < count; i++) {
        split(words[i], key, &value);
        const int error = mq_config_set(cli_spool, queue, key, value);
        if (error == -ENOENT)
            return cli_no_queue(queue);
        if (error == -EAGAIN)
            return cli_fail(STATUS_TRY_LATER, queue,
                            "cannot set the configuration: another process holds its lock: "
                            "try again later");
        if (error == -EPERM && strncmp(key, "order", 5) == 0)
            return cli_fail(STATUS_CONFIG, queue, "%s: it is fixed when the queue is made", key);
        if (error)
            return cli_queue_error(error, queue, "cannot set the configuration");
        cli_note(queue, "%s set", key);
    }
    return STATUS_DONE;
}

static int get(mq_queue *queue, const char *key, char value[VALUE_SIZE])
{
    const int error = mq_config_get(queue, key, value, VALUE_SIZE);
    if (error == -EINVAL)
        return check_setting(mq_queue_name(queue), key, NULL);
    return error ? cli_queue_error(error, mq_queue_name(queue), "cannot read the configuration") : STATUS_DONE;
}

static int print_json(mq_queue *queue, const char *const *keys, int count)
{
    char value[VALUE_SIZE];
    json_t *object = cli_must(json_object());
    for (int i = 0; i < count; i++) {
        const int status = get(queue, keys[i], value);
        if (status != STATUS_DONE) {
            json_decref(object);
            return status;
        }
        json_object_set_new(object, keys[i], cli_must(json_string(value)));
    }
    json_print(object);
    return STATUS_DONE;
}

static int print_text(mq_queue *queue, const char *const *keys, int count, bool name_them)
{
    char value[VALUE_SIZE];
    for (int i = 0; i < count; i++) {
        const int status = get(queue, keys[i], value);
        if (status != STATUS_DONE)
            return status;
        printf("%s%s%s\n", name_them ? keys[i] : "", name_them ? " = " : "", value);
    }
    return STATUS_DONE;
}

int settings_print(const char *name, char **words, int count)
{
    mq_queue *queue;
    int status = cli_open(name, 0, &queue);
    if (status != STATUS_DONE)
        return status;
    const char *const *keys = count > 0 ? (const char *const *)words : mq_config_keys();
    int key_count = count;
    while (count == 0 && keys[key_count])
        key_count++;
    status = cli_json ? print_json(queue, keys, key_count) : print_text(queue, keys, key_count, count == 0);
    mq_close(queue);
    return status;
}

int settings_run(char **words, int count)
{
    bool sets = false;
    for (int i = 1; i < count; i++)
        sets |= strchr(words[i], '=') != NULL;
    if (!sets)
        return settings_print(words[0], words + 1, count - 1);
    cli_advice = "mq-queue create makes it";
    if (cli_json)
        return cli_fail(STATUS_USAGE, words[0], "setting prints nothing: --json is for reading");
    const int status = settings_check(words[0], words + 1, count - 1);
    return status == STATUS_DONE ? settings_set(words[0], words + 1, count - 1) : status;
}
