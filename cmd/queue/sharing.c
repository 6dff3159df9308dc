/* Queues that several users share. */
#include "queue/sharing.h"

#include "base/units.h"
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <mq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

#define GROUPS "/etc/group"

/* Three octal digits. A 0 in front is allowed. */
static bool parse_mode(const char *text, unsigned *ret_mode)
{
    const size_t length = strlen(text);
    if (strspn(text, "01234567") != length || !(length == 3 || (length == 4 && *text == '0')))
        return false;
    *ret_mode = (unsigned)strtoul(text, NULL, 8);
    return true;
}

void sharing_set_mode(struct sharing *sharing, const struct argp_state *state, const char *text)
{
    unsigned mode;
    if (!parse_mode(text, &mode))
        cli_usage(state, "--mode: '%s' is not three octal digits, for owner, group and others, such as 660", text);
    if (mode & 0111)
        cli_usage(state, "--mode: '%s': a digit is 4 to look, 2 to send, 6 for all, or 0", text);
    if (mode >> 6 != 6)
        cli_usage(state, "--mode: '%s': the owner's digit is 6", text);
    if (!mq_mode_is_valid(mode))
        cli_usage(state, "--mode: '%s': others may receive only if the group may, and may not send if it may only look",
                  text);
    sharing->mode = mode;
}

/* The C library's own look-up asks services that a static program cannot load. */
static bool find_group(const char *name, gid_t *ret_group)
{
    FILE *file = fopen(GROUPS, "re");
    const struct group *group = NULL;
    while (file && (group = fgetgrent(file)) && strcmp(group->gr_name, name) != 0)
        ;
    if (group)
        *ret_group = group->gr_gid;
    if (file)
        fclose(file);
    return group != NULL;
}

void sharing_set_group(struct sharing *sharing, const struct argp_state *state, const char *text)
{
    uint64_t number;
    if (units_parse_number(text, UINT32_MAX - 1, &number))
        sharing->group = (gid_t)number;
    else if (!find_group(text, &sharing->group))
        cli_usage(state, "--group: '%s' is neither a number nor a group in " GROUPS, text);
    sharing->group_name = text;
}

/* Whether the users whom the queue's mode admits can pass through a directory. If it admits only the group, these are
   the members of the group. */
static bool lets_through(const struct stat *dir, unsigned mode, gid_t group)
{
    const bool passes_others = dir->st_mode & S_IXOTH, passes_group = dir->st_mode & S_IXGRP;
    if (mode & 7)
        return passes_others;
    return dir->st_gid == group ? passes_group : passes_others;
}

static gid_t group_of(const char *spool, const char *queue)
{
    char path[PATH_MAX + MQ_QUEUE_NAME_SIZE];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", spool, queue);
    return stat(path, &status) == 0 ? status.st_gid : MQ_OWN_GROUP;
}

/* The length of the path up to the next directory on the way: first 1 for "/", then up to each further slash, and last
   the whole path. */
static size_t next_part(const char *path, size_t length)
{
    const size_t from = length > 1 ? length + 1 : length;
    return path[length] ? from + strcspn(path + from, "/") : length + 1;
}

/* Others cannot use the queue if a directory above it stops them: warn of the first such directory. */
static void warn_of_closed_dirs(const struct sharing *sharing, const char *queue)
{
    char path[PATH_MAX], whole[PATH_MAX];
    struct stat status;
    if (!(sharing->mode & 077) || mq_spool_path(cli_spool, path, sizeof path) != 0 || !realpath(path, whole))
        return;
    const gid_t group = group_of(whole, queue);
    for (size_t length = 1; length <= strlen(whole); length = next_part(whole, length)) {
        snprintf(path, sizeof path, "%.*s", (int)length, whole);
        if (stat(path, &status) == 0 && !lets_through(&status, sharing->mode, group)) {
            (void)cli_fail(STATUS_DONE, queue, "warning: others cannot come to it, since %s has mode %03o", path,
                           (unsigned)status.st_mode & 0777);
            return;
        }
    }
}

int sharing_conclude(const struct sharing *sharing, const char *name, const char *kind, int created)
{
    if (created >= 0) {
        warn_of_closed_dirs(sharing, name);
        return STATUS_DONE;
    }
    if (created == -EEXIST)
        return cli_fail(STATUS_CANNOT_CREATE, name, "cannot create the %s: it is there, with another mode or group",
                        kind);
    if (created == -EPERM && sharing->group_name)
        return cli_fail(STATUS_PERMISSION, name, "cannot create the %s: not a member of the group %s", kind,
                        sharing->group_name);
    return cli_cannot_create(created, name);
}

int sharing_create(const struct sharing *sharing, const char *queue)
{
    const int status = cli_check_name(queue);
    return status != STATUS_DONE ? status
                                 : sharing_conclude(sharing, queue, "queue",
                                                    mq_create_shared(cli_spool, queue, sharing->mode, sharing->group));
}
