/* One queue in detail. */
#include "stat/queue_detail.h"

#include "base/clock.h"
#include <inttypes.h>
#include <string.h>

#include "cli/cli.h"
#include "message/preview.h"
#include "stat/claims.h"
#include "stat/fields.h"
#include "term/table.h"
#include "text/moment.h"
#include "text/text.h"

struct part {
    mq_queue *queue;
    struct table *table;
    size_t left; /* rows that may still be printed */
};

/* ---- figures ---------------------------------------------------------------------------- */

/* Print figures, each behind its name. A rate is printed for three spans. */
static void print_figures(FILE *stream, const struct snapshot *snapshot, const char *const *names, size_t columns)
{
    char line[512] = "", text[FIELD_TEXT_SIZE];
    for (; *names; names++) {
        const struct field *field = field_find(*names, strlen(*names));
        const size_t used = strlen(line);
        field_text(field, snapshot, true, text);
        snprintf(line + used, sizeof line - used, "%s%s %s", used ? "   " : "", field->title, text);
    }
    fprintf(stream, "%.*s\n", (int)text_fit(line, columns), line);
}

static void print_head(FILE *stream, const struct snapshot *snapshot, size_t columns)
{
    static const char *const depths[] = {"ready", "delayed", "inflight", "dead", "oldest", "bytes", "held", NULL};
    static const char *const paused[] = {"paused", NULL};
    static const char *const rates[] = {"in", "out", "errors", "in_15m", "out_15m", "errors_15m", "redelivered", NULL};
    print_figures(stream, snapshot, depths, columns);
    print_figures(stream, snapshot, rates, columns);
    if (snapshot->stats.paused)
        print_figures(stream, snapshot, paused, columns);
}

/* ---- claims ----------------------------------------------------------------------------- */

static const struct table_column claim_columns[] = {
    {.title = "IN FLIGHT", .widest = 36},
    {.title = "ATTEMPT", .right = true},
    {.title = "OWNER", .right = true},
    {.title = "HOST"},
    {.title = "COMMAND"},
    {.title = "HELD", .right = true},
    {.title = "LEFT", .right = true},
};
#define CLAIM_COLUMNS (sizeof claim_columns / sizeof *claim_columns)

static int add_claim(const struct mq_entry *entry, void *context)
{
    struct part *part = context;
    struct claim_text text;
    if (part->left == 0)
        return 1;
    part->left--;
    claims_describe(entry, clock_now(), &text);
    table_row(part->table, (const char *[CLAIM_COLUMNS]){entry->id, text.attempt, text.owner, text.host, text.command,
                                                         text.held, text.left});
    return 0;
}

/* ---- messages --------------------------------------------------------------------------- */

static const struct table_column message_columns[] = {
    {.title = "NEXT", .widest = 36}, {.title = "PRIORITY", .right = true}, {.title = "ATTEMPTS", .right = true},
    {.title = "AGE", .right = true}, {.title = "SIZE", .right = true},     {.title = "BODY"},
};
#define MESSAGE_COLUMNS (sizeof message_columns / sizeof *message_columns)

static int add_message(const struct mq_entry *entry, void *context)
{
    struct part *part = context;
    struct preview preview;
    char priority[16], attempts[16], age[HUMAN_SIZE], size[HUMAN_SIZE];
    if (part->left == 0)
        return 1;
    if (preview_of(part->queue, entry, &preview) != 1)
        return 0; /* the message has left this state */
    part->left--;
    snprintf(priority, sizeof priority, "%d", entry->priority);
    snprintf(attempts, sizeof attempts, "%u", entry->attempts);
    human_age(clock_now() - preview.sent_at, age);
    human_size(preview.size, size);
    table_row(part->table, (const char *[MESSAGE_COLUMNS]){entry->id, priority, attempts, age, size, preview.body});
    return 0;
}

/* ---- both ------------------------------------------------------------------------------- */

/* Print a table of the first messages in a state. Returns the number of its rows. */
static size_t print_part(mq_queue *queue, enum mq_state state, struct table *table, size_t rows,
                         int (*add)(const struct mq_entry *entry, void *context))
{
    struct part part = {.queue = queue, .table = table, .left = rows > 0 ? rows - 1 : 0};
    const size_t most = part.left;
    (void)mq_browse(queue, state, add, &part); /* after an error the next look tries again */
    table_end(table);
    return 1 + most - part.left;
}

void queue_detail_print(FILE *stream, const struct snapshot *snapshot, size_t columns, size_t rows, bool colour)
{
    mq_queue *queue;
    print_head(stream, snapshot, columns);
    const int error = mq_open(cli_spool, snapshot->queue, 0, &queue);
    if (error) {
        fprintf(stream, "\n%s\n", cli_reason(error));
        return;
    }
    const size_t others = snapshot->stats.paused ? 5 : 4; /* two or three of figures, and two empty ones */
    const size_t room = rows > 6 ? rows - others : 2;
    fputc('\n', stream);
    const size_t used = print_part(
        queue, MQ_INFLIGHT, table_new_on(stream, columns, colour, claim_columns, CLAIM_COLUMNS), room / 2, add_claim);
    fputc('\n', stream);
    (void)print_part(queue, MQ_READY, table_new_on(stream, columns, colour, message_columns, MESSAGE_COLUMNS),
                     room - used, add_message);
    mq_close(queue);
}
