/* mq-log read. */
#ifndef LOG_READ_H
#define LOG_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/where.h"
#include "message/selection.h"

struct log_reading {
    struct where from, to;
    bool has_to;   /* --to was given; else to the end as it is at the beginning, or with `follow` for ever */
    uint64_t most; /* messages; 0: any number */
    bool follow;   /* wait for more */
    int framing;   /* 'l', '0', or 0: how a body ends; cli_json: objects */
};

/* Print messages of a log. Returns an exit status. */
int log_read(const char *name, const struct log_reading *reading);

#endif
