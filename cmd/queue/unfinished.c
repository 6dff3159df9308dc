/* Transactions that no process finishes. */
#include "queue/unfinished.h"

#include "base/clock.h"
#include "base/grow.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "message/json_write.h"

/* Processes that come by finish a transaction within about a second. One that is still there after this time is
   reported. */
#define PATIENCE (2 * CLOCK_SECOND)
#define PAUSE 100 /* milliseconds between two looks */

struct look {
    char (*ids)[MQ_TX_SIZE]; /* of those that the first look found */
    size_t count, room;
    size_t left;
    bool is_first, prints;
};

static bool is_due(const struct mq_tx_entry *entry)
{
    return entry->state != MQ_TX_OPEN || entry->deadline <= clock_now() - PATIENCE;
}

static bool is_known(const struct look *look, const char *id)
{
    for (size_t i = 0; i < look->count; i++)
        if (strcmp(look->ids[i], id) == 0)
            return true;
    return false;
}

static void print(const struct mq_tx_entry *entry)
{
    static const char *const problems[] = {[MQ_TX_OPEN] = "past its deadline, and not undone",
                                           [MQ_TX_COMMITTED] = "committed, and not carried out",
                                           [MQ_TX_ABORTED] = "aborted, and not undone"};
    if (cli_json)
        json_print(json_pack("{s:s, s:s, s:I}", "tx", entry->id, "problem", problems[entry->state], "user",
                             (json_int_t)entry->owner));
    else
        printf("transaction %s of user %u: %s\n", entry->id, (unsigned)entry->owner, problems[entry->state]);
}

static int visit(const struct mq_tx_entry *entry, void *context)
{
    struct look *look = context;
    if (!is_due(entry))
        return 0;
    if (look->is_first) {
        if (!GROW(look->ids, look->count + 1, look->room))
            return -ENOMEM;
        strcpy(look->ids[look->count++], entry->id);
    } else if (!is_known(look, entry->id)) {
        return 0;
    }
    look->left++;
    if (look->prints)
        print(entry);
    return 0;
}

static int look_again(struct look *look)
{
    look->left = 0;
    const int error = mq_tx_list(cli_spool, visit, look);
    look->is_first = false;
    return error;
}

int unfinished_check(bool repair)
{
    struct look look = {.is_first = true};
    const int64_t since = clock_monotonic();
    int error = repair ? mq_tx_finish(cli_spool) : 0;
    if (error)
        return cli_error(error, NULL, "cannot finish the transactions");
    error = look_again(&look);
    while (!error && look.left > 0 && clock_monotonic() - since < PATIENCE) {
        (void)poll(NULL, 0, PAUSE);
        error = look_again(&look);
    }
    look.prints = true;
    if (!error && look.left > 0)
        error = look_again(&look);
    free(look.ids);
    if (error)
        return cli_error(error, NULL, "cannot list the transactions");
    return look.left > 0 ? STATUS_DATA : STATUS_DONE;
}
