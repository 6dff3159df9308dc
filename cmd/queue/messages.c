/* The commands of mq-queue that are about messages. */
#include "queue/messages.h"

#include <string.h>

#include "cli/cli.h"
#include "queue/change.h"
#include "queue/peek.h"
#include "queue/purge.h"
#include "queue/result_history.h"
#include "queue/result_output.h"

struct selection messages_selection;
bool messages_failed, messages_follow;
unsigned messages_attempt;
struct template *messages_format;
static struct mq_changes changes = {MQ_CHANGES_NONE};

void messages_take_words(const struct command_line *line, const struct argp_state *state)
{
    const bool sets = line->command->run == messages_set;
    const char *twice = sets ? cli_find_twice(line->words + 1, line->count - 1) : NULL;
    if (twice)
        cli_usage(state, "set: '%s': given twice", twice);
    const bool moves = line->command->run == messages_move || line->command->run == messages_copy;
    for (int i = moves ? 2 : 1; i < line->count; i++)
        if (sets && strchr(line->words[i], '='))
            change_parse(&changes, line->words[i], state);
        else
            selection_add_id(&messages_selection, line->words[i]);
    if (line->command->run != messages_peek && line->command->run != messages_history &&
        (!moves || messages_selection.all))
        selection_check(&messages_selection, line->command->name, state);
    if (messages_format && cli_json)
        cli_usage(state, "--json excludes --format");
    if (sets && changes.priority < 0 && changes.delay < 0 && changes.ttl < 0)
        cli_usage(state, "set: say what: priority=, delay= or ttl=");
}

int messages_peek(char **words, int count)
{
    (void)count;
    return peek_show(words[0], &messages_selection, messages_format);
}

int messages_history(char **words, int count)
{
    (void)count;
    return result_history_show(words[0],
                               &(struct result_wish){.selection = &messages_selection, .failed = messages_failed});
}

int messages_output(char **words, int count)
{
    (void)count;
    return result_output_print(words[0], words[1], messages_attempt, messages_follow);
}

int messages_remove(char **words, int count)
{
    (void)count;
    return change_remove(words[0], &messages_selection);
}

int messages_set(char **words, int count)
{
    (void)count;
    return change_set(words[0], &messages_selection, &changes);
}

int messages_release(char **words, int count)
{
    (void)count;
    return change_release(words[0], &messages_selection);
}

int messages_move(char **words, int count)
{
    (void)count;
    return change_move(words[0], words[1], &messages_selection);
}

int messages_copy(char **words, int count)
{
    (void)count;
    return change_copy(words[0], words[1], &messages_selection);
}

int messages_purge(char **words, int count)
{
    (void)count;
    return purge_messages(words[0], &messages_selection, messages_selection.dry_run);
}
