/* The options that choose messages. */
#include "message/selection_options.h"

#include "cli/cli.h"

error_t selection_parse_option(struct selection *selection, int key, char *argument, const struct argp_state *state)
{
    switch (key) {
    case 'n':
        selection->most = cli_number(state, "--count", argument, 1, UINT64_MAX);
        return 0;
    case 'm':
        if (!selection_add_match(selection, argument))
            cli_usage(state, "--match: '%s' is none of NAME, NAME: VALUE and NAME=VALUE", argument);
        return 0;
    case 'i':
        selection_add_id(selection, argument);
        return 0;
    case SELECTION_STATE:
        if (!selection_parse_state(selection, argument))
            cli_usage(state, "--state: '%s' is not one of ready, delayed, inflight, dead, all", argument);
        return 0;
    case SELECTION_OLDER_THAN:
        selection->older_than = cli_period(state, "--older-than", argument);
        return 0;
    case SELECTION_NEWEST:
        selection->newest = true;
        return 0;
    case SELECTION_ALL:
        selection->all = true;
        return 0;
    case SELECTION_DRY_RUN:
        selection->dry_run = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

void selection_check(const struct selection *selection, const char *command, const struct argp_state *state)
{
    const bool some = selection_has_conditions(selection);
    if (!some && !selection_has_states(selection) && !selection->all)
        cli_usage(state, "%s: say which: ids, --match, --older-than, --count, or --all", command);
    if (some && selection->all)
        cli_usage(state, "%s: --all excludes ids, --match, --older-than and --count", command);
}
