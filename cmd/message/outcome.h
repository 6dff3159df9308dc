/*
 * How a command ended, and what that means for its message. This is only the policy; settlement.c carries it out.
 *
 *     0: done · 99: done, and the worker stops · 65, 100 and the statuses of --reject-on: reject ·
 *     any other status, and death by a signal: try again
 *
 * 126 and 127 are like any other status. A command that cannot be started has no status (spawn.h). A shell or a program
 * that exits with 126 or 127 was started, and this message may be the reason.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

enum verdict { VERDICT_DONE, VERDICT_DONE_AND_STOP, VERDICT_RETRY, VERDICT_REJECT };

#define OUTCOME_SIZE 96

struct outcome {
    enum verdict verdict;
    int exit_status;         /* -1: none */
    int signal;              /* 0: none */
    char text[OUTCOME_SIZE]; /* "exit status 3", "signal KILL", "timeout after 5s", … */
};

/* The exit statuses of --reject-on. */
struct outcome_policy {
    bool rejects[256];
};

/* Parse a list such as `65,70-79`. False: malformed. */
bool outcome_parse_list(struct outcome_policy *policy, const char *text);

/* The outcome of a command with this wait status. */
void outcome_of_status(const struct outcome_policy *policy, int wait_status, struct outcome *ret_outcome);

/* Make the outcome a failure with this reason, whatever the exit status. */
void outcome_set_failure(struct outcome *outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
