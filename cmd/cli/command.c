/* Programs with commands. */
#include "cli/command.h"

#include <string.h>

#include "cli/cli.h"
#include "text/text.h"

void command_note(struct command_line *line, int key)
{
    const size_t length = strlen(line->used);
    if (!strchr(line->used, (char)key) && length + 1 < sizeof line->used)
        line->used[length] = (char)key; /* the rest is NULs */
}

static const struct command *find(const struct command *commands, const char *name)
{
    for (; commands->name; commands++)
        if (strcmp(commands->name, name) == 0)
            return commands;
    return NULL;
}

static const char *names_of(const struct command *commands)
{
    static char names[512];
    names[0] = '\0';
    for (; commands->name; commands++)
        text_list(names, sizeof names, commands->name);
    return names;
}

static const char *name_of_option(const struct argp_option *options, char character)
{
    for (; options->name; options++)
        if ((char)options->key == character)
            return options->name;
    return "json";
}

static void check(struct command_line *line, const struct argp_state *state)
{
    const struct command *command = line->command;
    if (cli_json)
        command_note(line, 'j');
    for (const char *used = line->used; *used; used++)
        if (!strchr(command->takes, *used))
            cli_usage(state, "%s takes no --%s", command->name, name_of_option(line->options, *used));
    if (line->count < command->least)
        cli_usage(state, "%s: something is missing", command->name);
    if (command->most >= 0 && line->count > command->most)
        cli_usage(state, "%s: too many arguments", command->name);
}

error_t command_parse(struct command_line *line, int key, struct argp_state *state)
{
    switch (key) {
    case ARGP_KEY_ARGS:
        line->command = find(line->commands, state->argv[state->next]);
        if (!line->command)
            cli_usage(state, "'%s': no such command: there are %s", state->argv[state->next], names_of(line->commands));
        line->words = state->argv + state->next + 1;
        line->count = state->argc - state->next - 1;
        return 0;
    case ARGP_KEY_NO_ARGS:
        cli_usage(state, "no command is given: there are %s", names_of(line->commands));
    case ARGP_KEY_END:
        check(line, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_run(const struct command_line *line)
{
    return line->command->run(line->words, line->count);
}
