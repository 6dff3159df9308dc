/* mq-bridge-ssh: carry messages between a queue here and one in a spool on another host. */
#include <signal.h>

#include "bridge/arguments.h"
#include "bridge/bridge.h"
#include "bridge/ssh.h"
#include "bridge/ssh_in.h"
#include "bridge/ssh_out.h"
#include "cli/cli.h"

static const char *const schemes[] = {"ssh", NULL};

int main(int argc, char **argv)
{
    struct bridge_arguments arguments;
    struct bridge bridge;
    struct url url;
    const char *queue;
    bridge_parse(argc, argv, &arguments);
    const bool is_out = bridge_sides(&arguments, schemes, ssh_parameters, &url, &queue);
    (void)ssh_queue(&url, !is_out);
    signal(SIGPIPE, SIG_IGN);
    int status = bridge_open(&bridge, &arguments, url.shown);
    if (status == STATUS_DONE)
        status = is_out ? ssh_out(&bridge, queue, &url) : ssh_in(&bridge, queue, &url);
    url_release(&url);
    return status;
}
