/* How a command ended: which statuses reject, what is said, and that a list of statuses is taken apart to its limits. */
#include "message/outcome.h"

#include <signal.h>

#include "unit.h"

/* Wait statuses, as Linux has them. */
#define EXITED(status) ((status) << 8)
#define KILLED(signal) (signal)

static void expect_verdict(const struct outcome_policy *policy, int status, enum verdict wanted, const char *text)
{
    struct outcome outcome;
    outcome_of_status(policy, EXITED(status), &outcome);
    EXPECT(outcome.verdict == wanted && outcome.exit_status == status && outcome.signal == 0);
    EXPECT_TEXT(outcome.text, text);
}

static void verdicts(void)
{
    struct outcome_policy policy = {0};
    expect_verdict(&policy, 0, VERDICT_DONE, "exit status 0");
    expect_verdict(&policy, 1, VERDICT_RETRY, "exit status 1");
    expect_verdict(&policy, 65, VERDICT_REJECT, "exit status 65");
    expect_verdict(&policy, 75, VERDICT_RETRY, "exit status 75");
    expect_verdict(&policy, 99, VERDICT_DONE_AND_STOP, "exit status 99");
    expect_verdict(&policy, 100, VERDICT_REJECT, "exit status 100");
    expect_verdict(&policy, 255, VERDICT_RETRY, "exit status 255");
    EXPECT(outcome_parse_list(&policy, "75,255"));
    expect_verdict(&policy, 75, VERDICT_REJECT, "exit status 75");
    expect_verdict(&policy, 255, VERDICT_REJECT, "exit status 255");
    expect_verdict(&policy, 65, VERDICT_REJECT, "exit status 65");
}

static void signals(void)
{
    const struct outcome_policy policy = {0};
    struct outcome outcome;
    outcome_of_status(&policy, KILLED(SIGKILL), &outcome);
    EXPECT(outcome.verdict == VERDICT_RETRY && outcome.exit_status == -1 && outcome.signal == SIGKILL);
    EXPECT_TEXT(outcome.text, "signal KILL");
}

static void lists(void)
{
    struct outcome_policy policy = {0};
    EXPECT(outcome_parse_list(&policy, "1,70-79,255"));
    for (int status = 0; status < 256; status++)
        EXPECT(policy.rejects[status] == (status == 1 || (status >= 70 && status <= 79) || status == 255));
    static const char *const refused[] = {"",
                                          "0",
                                          "256",
                                          "-1",
                                          "1-",
                                          "5-4",
                                          "1,",
                                          ",1",
                                          "1,,2",
                                          "0-5",
                                          "1-256",
                                          "x",
                                          "1 ,2",
                                          "1-2-3",
                                          "+1",
                                          "1.5",
                                          "99999999999999999999"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!EXPECT(!outcome_parse_list(&policy, refused[i])))
            fprintf(stderr, "taken: \"%s\"\n", refused[i]);
}

static void our_failures(void)
{
    const struct outcome_policy policy = {0};
    struct outcome outcome;
    outcome_of_status(&policy, EXITED(0), &outcome);
    outcome_set_failure(&outcome, "timeout after %s", "5s");
    EXPECT(outcome.verdict == VERDICT_RETRY);
    EXPECT_TEXT(outcome.text, "timeout after 5s");
    outcome_set_failure(&outcome, "%0200d", 7); /* cut, not overrun */
    EXPECT(strlen(outcome.text) == OUTCOME_SIZE - 1);
}

int main(void)
{
    verdicts();
    signals();
    lists();
    our_failures();
    return unit_failures > 0;
}
