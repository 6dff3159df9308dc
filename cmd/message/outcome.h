/*
 * How a command ended, and what that says of its message: policy alone.
 *
 *     0 done · 99 done, and no more · 65, 100 and what --reject-on names: it will never work ·
 *     anything else, and death by signal: try again
 *
 * 126 and 127 are like any other status. A command that cannot be started has none (launch.h tells); a shell or a
 * program that says 126 or 127 did start, and says it because of this message as well as of every message.
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

/* Which exit statuses reject the message beside those that always do. */
struct outcome_policy {
    bool rejects[256];
};

/* Take `65,70-79` apart. False: malformed. */
bool outcome_parse_list(struct outcome_policy *policy, const char *text);

/* Of a command whose wait status is this. */
void outcome_of_status(const struct outcome_policy *policy, int wait_status, struct outcome *ret_outcome);

/* Of a command that failed for a reason of ours, however it ended. */
void outcome_set_failure(struct outcome *outcome, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
