/* How a command ended, and what that means for its message. */
#include "message/outcome.h"

#include "base/units.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#define DONE_AND_STOP 99
#define HARD_FAILURE 100 /* the status by which qmail's delivery programs report it */

/* ---- the list --------------------------------------------------------------------- */

/* "65" or "70-79". */
static bool parse_range(char *text, uint64_t *ret_first, uint64_t *ret_last)
{
    char *dash = strchr(text, '-');
    if (dash)
        *dash = '\0';
    return units_parse_number(text, 255, ret_first) && units_parse_number(dash ? dash + 1 : text, 255, ret_last) &&
           *ret_first > 0 && *ret_first <= *ret_last;
}

bool outcome_parse_list(struct outcome_policy *policy, const char *text)
{
    char *copy = strdup(text), *rest = copy, *item;
    bool sound = copy != NULL;
    while (sound && (item = strsep(&rest, ","))) {
        uint64_t first, last;
        sound = parse_range(item, &first, &last);
        for (uint64_t status = first; sound && status <= last; status++)
            policy->rejects[status] = true;
    }
    free(copy);
    return sound;
}

/* ---- the verdict ------------------------------------------------------------------ */

static enum verdict judge(const struct outcome_policy *policy, int exit_status)
{
    if (policy->rejects[exit_status])
        return VERDICT_REJECT;
    switch (exit_status) {
    case 0:
        return VERDICT_DONE;
    case DONE_AND_STOP:
        return VERDICT_DONE_AND_STOP;
    case EX_DATAERR:
    case HARD_FAILURE:
        return VERDICT_REJECT;
    default:
        return VERDICT_RETRY;
    }
}

void outcome_of_status(const struct outcome_policy *policy, int wait_status, struct outcome *ret_outcome)
{
    *ret_outcome = (struct outcome){.verdict = VERDICT_RETRY, .exit_status = -1};
    if (WIFEXITED(wait_status)) {
        ret_outcome->exit_status = WEXITSTATUS(wait_status);
        ret_outcome->verdict = judge(policy, ret_outcome->exit_status);
        snprintf(ret_outcome->text, sizeof ret_outcome->text, "exit status %d", ret_outcome->exit_status);
        return;
    }
    ret_outcome->signal = WTERMSIG(wait_status);
    const char *name = sigabbrev_np(ret_outcome->signal);
    if (name)
        snprintf(ret_outcome->text, sizeof ret_outcome->text, "signal %s", name);
    else
        snprintf(ret_outcome->text, sizeof ret_outcome->text, "signal %d", ret_outcome->signal);
}

void outcome_set_failure(struct outcome *outcome, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(outcome->text, sizeof outcome->text, format, arguments);
    va_end(arguments);
    outcome->verdict = VERDICT_RETRY;
}
