/* A program on another host. */
#include "bridge/ssh.h"

#include <errno.h>
#include <mq.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

#define SSH_FAILED 255 /* the exit status of ssh if it could not connect, or lost the connection */

const char *const ssh_parameters[] = {"spool", NULL};

const char *ssh_queue(const struct url *url, bool is_source)
{
    static char name[MQ_QUEUE_NAME_SIZE];
    const char *spool = url_parameter(url, "spool");
    const bool is_group = url->segment_count == 2 && is_source;
    if (spool && !*spool)
        exit(cli_fail(STATUS_USAGE, url->shown, "spool: empty"));
    if (url->segment_count == 1 && mq_queue_name_is_valid(url->segments[0]))
        return url->segments[0];
    if (is_group && strlen(url->segments[0]) + strlen(url->segments[1]) + 1 < sizeof name) {
        (void)stpcpy(stpcpy(stpcpy(name, url->segments[0]), "/"), url->segments[1]);
        if (mq_group_name_is_valid(name))
            return name;
    }
    exit(cli_fail(STATUS_USAGE, url->shown, "behind the host belongs / and the name of a queue there"));
}

enum bridge_result ssh_open(struct stream *stream, struct bridge *bridge, const struct url *url, const char *queue,
                            const char *script, const char *option)
{
    const char *command[32] = {"ssh", "-T",
                               "-o",  "BatchMode=yes",
                               "-o",  "ConnectTimeout=15",
                               "-o",  "ServerAliveInterval=15",
                               "-o",  "ServerAliveCountMax=3",
                               "-o",  "ClearAllForwardings=yes"};
    const char *spool = url_parameter(url, "spool");
    size_t count = 12;
    if (url->port) {
        command[count++] = "-p";
        command[count++] = url->port;
    }
    if (url->user) {
        command[count++] = "-l";
        command[count++] = url->user;
    }
    command[count++] = "--";
    command[count++] = url->host;
    command[count++] = script;
    const enum bridge_result result = stream_start(stream, bridge, (char *const *)(uintptr_t)command);
    if (result != BRIDGE_OK)
        return result;
    const char *const lines[] = {queue, spool ? spool : "", option};
    for (size_t i = 0; i < 3; i++)
        if (!stream_put(stream, lines[i], strlen(lines[i])) || !stream_put(stream, "\n", 1))
            return bridge_trouble(bridge, BRIDGE_FAILED, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
    return BRIDGE_OK;
}

/* Statuses of mq(7) that mean that somebody has to change something there. */
static bool is_final(int status)
{
    switch (status) {
    case STATUS_USAGE:
    case STATUS_DATA:
    case STATUS_NO_QUEUE:
    case STATUS_UNAVAILABLE:
    case STATUS_CANNOT_CREATE:
    case STATUS_PERMISSION:
    case STATUS_CONFIG:
    case STATUS_CANNOT_RUN:
    case STATUS_NO_COMMAND:
        return true;
    default:
        return false;
    }
}

enum bridge_result ssh_ended(const struct stream *stream, struct bridge *bridge, int status)
{
    const char *words = *stream->words ? stream->words : "the connection has ended";
    if (status != SSH_FAILED && is_final(status))
        return bridge_trouble(bridge, BRIDGE_FAILED, status, "%s", words);
    return bridge_trouble(bridge, BRIDGE_LOST, STATUS_TRY_LATER, "%s", words);
}
