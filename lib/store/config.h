/*
 * The configuration of a queue: lines of `key = value` in its file `config`; # begins a comment. A key that is missing
 * has its default value.
 *
 *     error = config_load(queue_dir, &config, NULL);
 *     error = config_store(queue_dir, tmp, "ttl", "1h");
 */
#ifndef MQ_CONFIG_H
#define MQ_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mq.h"

/* What is paused: bits. */
#define CONFIG_PAUSED_RECEIVE 1
#define CONFIG_PAUSED_SEND 2

/* What a full queue does with a new message. */
enum config_overflow { CONFIG_REFUSE, CONFIG_DROP_OLDEST, CONFIG_DEAD_OLDEST };

struct config {
    bool durable;      /* durability = full */
    bool drop_expired; /* on-expiry = drop */
    int64_t ack_timeout;
    uint64_t max_attempts; /* 0: without limit */
    int64_t retry_delay;
    int64_t retry_max_delay;
    int64_t ttl;                          /* 0: none */
    int64_t dead_ttl;                     /* 0: none */
    char dead_letter[MQ_QUEUE_NAME_SIZE]; /* where dead letters go on to; empty: they stay */
    int64_t dedup_window;
    int64_t keep_results;
    uint64_t keep_results_size; /* 0: none */
    uint64_t max_size;
    uint64_t max_depth;     /* 0: none */
    uint64_t max_bytes;     /* 0: none */
    unsigned char overflow; /* an enum config_overflow */
    uint64_t batch_count;
    uint64_t batch_size;
    char require[MQ_QUEUE_NAME_SIZE];  /* names of headers, with commas; empty: none */
    unsigned char paused;              /* CONFIG_PAUSED_… */
    bool halts;                        /* on-dead = halt: a lane waits until its dead head is settled */
    uint64_t order;                    /* the order of messages is kept: CONFIG_… */
    char order_by[MQ_QUEUE_NAME_SIZE]; /* the header that tells a message's group */
};
#define CONFIG_UNORDERED 0
#define CONFIG_GROUP 1  /* within a message group */
#define CONFIG_STRICT 2 /* of all messages */

#define CONFIG_PROBLEM_SIZE 160
#define CONFIG_VALUE_SIZE MQ_QUEUE_NAME_SIZE

void config_default(struct config *ret_config);

/* Read the configuration. Without a file all values are defaults. -EBADMSG: the file is malformed; if `ret_problem` is
   not NULL, it gets the line, the key and what is wrong (CONFIG_PROBLEM_SIZE). */
int config_load(int queue_dir, struct config *ret_config, char *ret_problem);

/* The value of a key, as text. False: there is no such key. */
bool config_get(const struct config *config, const char *key, char ret_value[CONFIG_VALUE_SIZE]);

/* Change one key, or with NULL remove it. The file is replaced by a new one, atomically and durably; its comments and
   the order of its lines stay. -EINVAL: the key or the value is wrong. -EPERM: the key is set when the queue is made, and
   never changed. -EAGAIN: another process is changing the file. */
int config_store(int queue_dir, int tmp, const char *key, const char *value);

/* What the configuration of a queue has in common with that of other things: a file with lines of `key = value`. Call
   `take` with each, which returns NULL or what is wrong with it. Without the file there are no lines. -EBADMSG as above. */
typedef const char *config_take_fn(void *context, const char *key, const char *value);
int config_read(int dir, const char *file, config_take_fn *take, void *context, char *ret_problem);

/* Replace the line of a key, as config_store does; any key and any value. */
int config_replace(int dir, int tmp, const char *file, const char *key, const char *value);

/* Write the file of a queue that is being made. */
int config_make(int queue_dir, int tmp, const char *key, const char *value);

#endif
