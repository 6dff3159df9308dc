/* The spool. */
#include "cli/spool.h"

#include <errno.h>
#include <limits.h>
#include <mq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/report.h"

const char *cli_spool;

bool cli_spool_is_named(void)
{
    const char *said = getenv("MQ_SPOOL");
    return cli_spool || (said && *said);
}

/* The user who became root for this command, by sudo or doas, and may not expect root's own spool; else NULL. */
static const char *user_behind_root(void)
{
    const char *user = getenv("SUDO_USER");
    user = user ? user : getenv("DOAS_USER");
    return !cli_spool_is_named() && geteuid() == 0 && user && strcmp(user, "root") != 0 ? user : NULL;
}

void cli_describe_spool(char text[CLI_SPOOL_SIZE])
{
    char path[PATH_MAX];
    const char *user = user_behind_root();
    if (mq_spool_path(cli_spool, path, sizeof path) != 0)
        snprintf(text, CLI_SPOOL_SIZE, "not known, since none of -S, MQ_SPOOL and HOME is set");
    else if (user)
        snprintf(text, CLI_SPOOL_SIZE, "%s (root's own; name that of %.64s with -S or MQ_SPOOL)", path, user);
    else
        snprintf(text, CLI_SPOOL_SIZE, "%s", path);
}

int cli_check_spool_path(void)
{
    char path[PATH_MAX];
    const int error = mq_spool_path(cli_spool, path, sizeof path);
    if (error == -ENOENT)
        return cli_fail(STATUS_CONFIG, NULL, "no spool: none of -S, MQ_SPOOL and HOME is set");
    return error ? cli_error(error, NULL, "no spool") : STATUS_DONE;
}

int cli_check_spool(void)
{
    char path[PATH_MAX], described[CLI_SPOOL_SIZE];
    struct stat status;
    const int status_of_path = cli_check_spool_path();
    if (status_of_path != STATUS_DONE || mq_spool_path(cli_spool, path, sizeof path) != 0)
        return status_of_path;
    const int error = stat(path, &status) < 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    if (!error)
        return STATUS_DONE;
    cli_describe_spool(described);
    if (error == ENOENT)
        return cli_fail(STATUS_NO_QUEUE, NULL, "there is no spool %s", described);
    return cli_fail(cli_status(-error), NULL, "cannot look into the spool %s: %s", described, cli_reason(-error));
}

void cli_say_none(void)
{
    char described[CLI_SPOOL_SIZE];
    cli_describe_spool(described);
    if (!cli_quiet)
        (void)cli_fail(STATUS_DONE, NULL, "no queues in %s", described);
}

int cli_cannot_make_spool(int error)
{
    char described[CLI_SPOOL_SIZE];
    const int status = cli_check_spool_path();
    if (status != STATUS_DONE)
        return status;
    cli_describe_spool(described);
    return cli_fail(STATUS_CANNOT_CREATE, NULL, "cannot make the spool %s: %s", described, cli_reason(error));
}

bool cli_spool_is_there(void)
{
    char path[CLI_SPOOL_SIZE];
    struct stat status;
    return mq_spool_path(cli_spool, path, sizeof path) == 0 && stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}
