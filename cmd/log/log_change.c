/* Making, configuring, trimming and deleting logs. */
#include "log/log_change.h"

#include <errno.h>
#include <inttypes.h>
#include <mq.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "text/text.h"

#define KEY_SIZE 64
#define VALUE_SIZE 64

/* ---- configuration ------------------------------------------------------------------ */

/* Split "KEY=VALUE". The value is NULL for "KEY=", which brings the default back. False: there is no `=`. */
static bool split(const char *word, char key[KEY_SIZE], const char **ret_value)
{
    const size_t length = strcspn(word, "=");
    snprintf(key, KEY_SIZE, "%.*s", (int)(length < KEY_SIZE ? length : KEY_SIZE - 1), word);
    *ret_value = word[length] && word[length + 1] ? word + length + 1 : NULL;
    return word[length] == '=';
}

static int no_such_key(const char *log, const char *key)
{
    char names[256] = "";
    for (const char *const *known = mq_log_config_keys(); *known; known++)
        text_list(names, sizeof names, *known);
    return cli_fail(STATUS_CONFIG, log, "%s: no such key: there are %s", key, names);
}

/* Before anything is made or set. */
static int check_settings(const char *log, char **words, int count)
{
    char key[KEY_SIZE], problem[128];
    const char *value, *twice = cli_find_twice(words, count);
    if (twice)
        return cli_fail(STATUS_USAGE, log, "'%s': given twice", twice);
    for (int i = 0; i < count; i++) {
        if (!split(words[i], key, &value))
            return cli_fail(STATUS_USAGE, log, "'%s': not KEY=VALUE", words[i]);
        if (mq_log_config_check(key, NULL, problem, sizeof problem) != 0)
            return no_such_key(log, key);
        if (mq_log_config_check(key, value, problem, sizeof problem) != 0)
            return cli_fail(STATUS_CONFIG, log, "%s: '%s' is %s", key, value, problem);
    }
    return STATUS_DONE;
}

static int set(const char *log, char **words, int count)
{
    char key[KEY_SIZE];
    const char *value;
    for (int i = 0; i < count; i++) {
        (void)split(words[i], key, &value);
        const int error = mq_log_config_set(cli_spool, log, key, value);
        if (error == -EAGAIN)
            return cli_fail(STATUS_TRY_LATER, log,
                            "cannot set the configuration: another process holds its lock: try again later");
        if (error == -ENOENT)
            return cli_no_log(log);
        if (error)
            return cli_log_error(error, log, "cannot set the configuration");
        cli_note(log, "%s set", key);
    }
    return STATUS_DONE;
}

static int print_values(const mq_log *log, const char *const *keys, int count, bool name_them)
{
    char value[VALUE_SIZE];
    json_t *object = cli_json ? cli_must(json_object()) : NULL;
    for (int i = 0; i < count; i++) {
        if (mq_log_config_get(log, keys[i], value, sizeof value) != 0) {
            json_decref(object);
            return no_such_key(mq_log_name(log), keys[i]);
        }
        if (object)
            json_object_set_new(object, keys[i], cli_must(json_string(value)));
        else
            printf("%s%s%s\n", name_them ? keys[i] : "", name_them ? " = " : "", value);
    }
    if (object)
        json_print(object);
    return STATUS_DONE;
}

static int print(const char *name, char **words, int count)
{
    mq_log *log;
    int key_count = count, status = cli_open_log(name, &log);
    if (status != STATUS_DONE)
        return status;
    const char *const *keys = count > 0 ? (const char *const *)words : mq_log_config_keys();
    while (count == 0 && keys[key_count])
        key_count++;
    status = print_values(log, keys, key_count, count == 0);
    mq_log_close(log);
    return status;
}

int log_config(char **words, int count)
{
    bool sets = false;
    for (int i = 1; i < count; i++)
        sets |= strchr(words[i], '=') != NULL;
    if (!sets)
        return print(words[0], words + 1, count - 1);
    cli_advice = "mq-log create makes it";
    if (cli_json)
        return cli_fail(STATUS_USAGE, words[0], "setting prints nothing: --json is for reading");
    int status = cli_check_name(words[0]);
    if (status == STATUS_DONE)
        status = check_settings(words[0], words + 1, count - 1);
    return status == STATUS_DONE ? set(words[0], words + 1, count - 1) : status;
}

/* ---- making and deleting -------------------------------------------------------------- */

int log_create(char **words, int count)
{
    int status = cli_check_name(words[0]);
    if (status == STATUS_DONE)
        status = check_settings(words[0], words + 1, count - 1);
    if (status != STATUS_DONE)
        return status;
    const int created = mq_log_create(cli_spool, words[0]);
    if (created == -EEXIST)
        return cli_fail(STATUS_CANNOT_CREATE, words[0], "cannot create the log: there is something else of that name");
    if (created == -ENOENT || created == -ENOTDIR)
        return cli_cannot_make_spool(created);
    if (created < 0)
        return cli_error(created, words[0], "cannot create the log");
    cli_note(words[0], created ? "made" : "is there");
    return set(words[0], words + 1, count - 1);
}

int log_delete(const char *log, bool force)
{
    const int status = cli_check_name(log);
    const int error = status == STATUS_DONE ? mq_log_delete(cli_spool, log, force) : 0;
    if (error == -ENOTEMPTY)
        return cli_fail(STATUS_TRY_LATER, log, "it holds messages: --force deletes them too");
    if (error == -EBUSY)
        return cli_fail(STATUS_TRY_LATER, log, "another process is appending to it: --force deletes it all the same");
    if (error == -ENOENT)
        return cli_no_log(log);
    return error ? cli_log_error(error, log, "cannot delete the log") : status;
}

/* ---- retention --------------------------------------------------------------------------- */

static int trim(const char *name)
{
    mq_log *log;
    uint64_t removed = 0;
    const int status = cli_open_log(name, &log);
    if (status != STATUS_DONE)
        return status;
    const int error = mq_log_trim(log, &removed);
    mq_log_close(log);
    if (error)
        return cli_log_error(error, name, "cannot trim the log");
    cli_note(name, "%" PRIu64 " buckets removed", removed);
    return STATUS_DONE;
}

int log_trim_each(char **words, int count)
{
    int status = STATUS_DONE;
    for (int i = 0; i < count; i++)
        status = cli_worse(status, trim(words[i]));
    return status;
}
