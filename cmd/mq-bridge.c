/* mq-bridge: carry messages between a queue here and one elsewhere. Each scheme of URLs is done by a program of its own. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/arguments.h"
#include "bridge/local.h"
#include "cli/cli.h"

/* The program for the scheme finds the spool by its absolute path. */
static int export_spool(void)
{
    char path[PATH_MAX], absolute[2 * PATH_MAX] = "";
    const int status = cli_check_spool_path();
    if (status != STATUS_DONE || mq_spool_path(cli_spool, path, sizeof path) != 0)
        return status;
    if (path[0] != '/' && !getcwd(absolute, PATH_MAX))
        return cli_error(-errno, NULL, "cannot tell where this is");
    const size_t length = strlen(absolute);
    (void)snprintf(absolute + length, sizeof absolute - length, "%s%s", length ? "/" : "", path);
    return setenv("MQ_SPOOL", absolute, 1) == 0 ? STATUS_DONE : cli_error(-errno, NULL, "cannot go on");
}

/* Become mq-bridge-SCHEME: the options in their long forms, then -- and both words. */
static int become(const char *scheme, const struct bridge_arguments *arguments)
{
    char program[sizeof "mq-bridge-" + URL_SCHEME_SIZE], count[sizeof "--count=" + 20], rate[64];
    char *words[12] = {program};
    size_t given = 1;
    (void)snprintf(program, sizeof program, "mq-bridge-%s", scheme);
    (void)snprintf(count, sizeof count, "--count=%ju", (uintmax_t)arguments->count);
    (void)snprintf(rate, sizeof rate, "--max-rate=%s", arguments->interval ? arguments->rate : "");
    const struct {
        bool is_given;
        const char *word;
    } options[] = {{arguments->follow, "--follow"}, {arguments->until_empty, "--until-empty"},
                   {arguments->count > 0, count},   {arguments->interval > 0, rate},
                   {arguments->create, "--create"}, {cli_quiet, "--quiet"},
                   {cli_verbose, "--verbose"}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].is_given)
            words[given++] = (char *)(uintptr_t)options[i].word;
    words[given++] = (char *)(uintptr_t) "--";
    words[given++] = (char *)(uintptr_t)arguments->source;
    words[given++] = (char *)(uintptr_t)arguments->destination;
    const int status = export_spool();
    if (status != STATUS_DONE)
        return status;
    (void)execvp(program, words);
    if (errno == ENOENT)
        return cli_fail(STATUS_NO_COMMAND, NULL, "URLs that begin with %s:// need a program %s, which is not in PATH",
                        scheme, program);
    return cli_fail(STATUS_CANNOT_RUN, NULL, "cannot run %s: %s", program, strerror(errno));
}

int main(int argc, char **argv)
{
    struct bridge_arguments arguments;
    char scheme[URL_SCHEME_SIZE];
    bridge_parse(argc, argv, &arguments);
    const bool from_url = url_is_meant(arguments.source), to_url = url_is_meant(arguments.destination);
    if (from_url && to_url)
        return cli_fail(STATUS_USAGE, NULL, "source and destination are both URLs: one has to be a queue here");
    if (!from_url && !to_url)
        return local_run(&arguments);
    const int status = from_url ? cli_check_name(arguments.destination) : cli_check_queue_name(arguments.source);
    if (status != STATUS_DONE)
        return status;
    if (!url_scheme(from_url ? arguments.source : arguments.destination, scheme))
        return cli_fail(STATUS_USAGE, NULL, "bad URL: it does not begin with SCHEME://");
    return become(scheme, &arguments);
}
