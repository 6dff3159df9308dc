/* The configuration of a log: lines of `key = value` in its file `settings`, as a queue has them (config.h). */
#ifndef MQ_LOG_CONFIG_H
#define MQ_LOG_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "store/config.h"

struct log_config {
    bool durable;          /* durability = full */
    uint64_t max_size;     /* of a body */
    int64_t retain_time;   /* 0: for ever */
    uint64_t retain_size;  /* bytes of files; 0: any number */
    uint64_t retain_count; /* messages; 0: any number */
    int64_t dedup_window;
    bool keep_unread; /* what a group has not passed is kept in any case */
};

/* -EBADMSG: malformed; the problem (CONFIG_PROBLEM_SIZE), which may be NULL, names the line. */
int log_config_load(int dir, struct log_config *ret_config, char *ret_problem);

/* NULL, or what is wrong with a key, or with a value for it that is not NULL. */
const char *log_config_check(const char *key, const char *value);

/* The value of a key, as text. False: there is no such key. */
bool log_config_get(const struct log_config *config, const char *key, char ret_value[CONFIG_VALUE_SIZE]);

/* Change one key, or with NULL bring its default back, as config_store does. */
int log_config_store(int dir, const char *key, const char *value);

#endif
