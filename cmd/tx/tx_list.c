/* The transactions of a spool that are not finished. */
#include "tx/tx_list.h"

#include "base/clock.h"
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "message/json_write.h"
#include "term/table.h"
#include "text/human.h"
#include "text/moment.h"

static const struct table_column columns[] = {
    {.title = "TX"},
    {.title = "STATE"},
    {.title = "LEFT", .right = true},
    {.title = "MESSAGES", .right = true},
    {.title = "CLAIMS", .right = true},
    {.title = "FILES", .right = true},
    {.title = "USER", .right = true},
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const char *const states[] = {
    [MQ_TX_OPEN] = "open", [MQ_TX_COMMITTED] = "committed", [MQ_TX_ABORTED] = "aborted"};

static void print_object(const struct mq_tx_entry *entry)
{
    char deadline[MOMENT_SIZE];
    moment_format(entry->deadline, deadline);
    json_print(json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:I}", "tx", entry->id, "state", states[entry->state],
                         "deadline", entry->state == MQ_TX_OPEN ? json_string(deadline) : json_null(), "messages",
                         (json_int_t)entry->messages, "claims", (json_int_t)entry->claims, "files",
                         (json_int_t)entry->files, "user", (json_int_t)entry->owner));
}

static void add_row(struct table *table, const struct mq_tx_entry *entry)
{
    char left[HUMAN_SIZE + 8] = "-", messages[24], claims[24], files[24], user[16];
    const int64_t now = clock_now();
    if (entry->state == MQ_TX_OPEN && entry->deadline <= now)
        snprintf(left, sizeof left, "over");
    else if (entry->state == MQ_TX_OPEN)
        human_age(entry->deadline - now, left);
    snprintf(messages, sizeof messages, "%" PRIu64, entry->messages);
    snprintf(claims, sizeof claims, "%" PRIu64, entry->claims);
    snprintf(files, sizeof files, "%" PRIu64, entry->files);
    snprintf(user, sizeof user, "%u", (unsigned)entry->owner);
    table_row(table, (const char *[COLUMNS]){entry->id, states[entry->state], left, messages, claims, files, user});
}

static int show(const struct mq_tx_entry *entry, void *context)
{
    struct table *table = context;
    if (table)
        add_row(table, entry);
    else
        print_object(entry);
    return 0;
}

int tx_list(void)
{
    const int status = cli_check_spool();
    if (status != STATUS_DONE)
        return status;
    struct table *table = cli_json ? NULL : table_new(columns, COLUMNS);
    const int error = mq_tx_list(cli_spool, show, table);
    if (table)
        table_end(table);
    return error ? cli_error(error, NULL, "cannot list the transactions") : STATUS_DONE;
}
