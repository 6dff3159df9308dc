/* A queue's settings: `key = value` lines, # begins a comment; what is not said has its default. */
#ifndef MQ_CONFIG_H
#define MQ_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config {
    bool durable;      /* durability = full */
    bool drop_expired; /* on-expiry = drop */
    int64_t ack_timeout;
    uint64_t max_attempts; /* 0: no end */
    int64_t retry_policy_delay;
    int64_t retry_max_delay;
    int64_t ttl;      /* 0: none */
    int64_t dead_ttl; /* 0: none */
    int64_t dedup_window;
    uint64_t max_size;
    uint64_t max_depth; /* 0: none */
    uint64_t batch_count;
    uint64_t batch_size;
    uint64_t order; /* the order of messages is kept: CONFIG_… */
};
#define CONFIG_UNORDERED 0
#define CONFIG_GROUP 1  /* within a message group */
#define CONFIG_STRICT 2 /* of all messages */

#define CONFIG_PROBLEM_SIZE 160
#define CONFIG_VALUE_SIZE 32

void config_default(struct config *ret_config);

/* Read a queue's `config`; a missing one is all defaults. -EBADMSG, with the line and key in `ret_problem` where
   that is not NULL. */
int config_load(int queue_dir, struct config *ret_config, char *ret_problem);

/* The text of a key's value. False: no such key. */
bool config_get(const struct config *config, const char *key, char ret_value[CONFIG_VALUE_SIZE]);

/* Write the file anew with one key changed (NULL: without it), comments and order kept. Atomic and durable.
   -EINVAL: bad key or value. -EPERM: the key is set when the queue is made, and never changed. */
int config_store(int queue_dir, int tmp, const char *key, const char *value);

/* Write the file of a queue that is being made. */
int config_make(int queue_dir, int tmp, const char *key, const char *value);

#endif
