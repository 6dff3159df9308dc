/* The configuration of logs, as the public calls show it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"

int mq_log_config_get(const mq_log *log, const char *key, char *ret_value, size_t size)
{
    char value[CONFIG_VALUE_SIZE];
    if (!log_config_get(&log->config, key, value))
        return -EINVAL;
    return (size_t)snprintf(ret_value, size, "%s", value) < size ? 0 : -ENAMETOOLONG;
}

int mq_log_config_check(const char *key, const char *value, char *ret_text, size_t size)
{
    const char *problem = log_config_check(key, value);
    if (problem)
        snprintf(ret_text, size, "%s", problem);
    return problem ? -EINVAL : 0;
}

int mq_log_config_set(const char *spool, const char *name, const char *key, const char *value)
{
    const int dir = log_config_check(key, value) ? -EINVAL : log_open_dir(spool, name);
    if (dir < 0)
        return dir;
    int error = log_config_store(dir, key, value);
    if (error == -ENOENT && log_heal(dir) == 0)
        error = log_config_store(dir, key, value);
    close(dir);
    return error;
}

int mq_log_config_explain(const char *spool, const char *name, char *ret_text, size_t size)
{
    struct log_config config;
    char problem[CONFIG_PROBLEM_SIZE] = "";
    const int dir = log_open_dir(spool, name);
    if (dir < 0)
        return dir;
    const int error = log_config_load(dir, &config, problem);
    close(dir);
    if (error == 0)
        return 0;
    return (size_t)snprintf(ret_text, size, "%s", problem[0] ? problem : strerror(-error)) < size ? 1 : -ENAMETOOLONG;
}
