/* Queues that several users share. */
#include "sharing.h"

#include <errno.h>
#include <grp.h>
#include <mq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <units.h>

#include "cli.h"

#define GROUPS "/etc/group"

/* Three octal digits, and a 0 in front for who likes. */
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
        cli_usage(state, "--mode: '%s': others receive only where the group does, and do not send where it only looks",
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
        cli_usage(state, "--group: '%s' is no number and no group in " GROUPS, text);
    sharing->group_name = text;
}

int sharing_create(const struct sharing *sharing, const char *queue)
{
    const int status = cli_check_name(queue);
    if (status != STATUS_DONE)
        return status;
    const int created = mq_create_shared(cli_spool, queue, sharing->mode, sharing->group);
    if (created >= 0)
        return STATUS_DONE;
    if (created == -EEXIST)
        return cli_fail(STATUS_CANNOT_CREATE, queue,
                        "cannot create the queue: it is there, with another mode or group");
    if (created == -EPERM && sharing->group_name)
        return cli_fail(STATUS_PERMISSION, queue, "cannot create the queue: not a member of the group %s",
                        sharing->group_name);
    return cli_error(created, queue, "cannot create the queue");
}
