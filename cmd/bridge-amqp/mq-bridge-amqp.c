/* mq-bridge-amqp: carry messages between a queue here and RabbitMQ. */
#include <signal.h>
#include <stdio.h>

#include "bridge/arguments.h"
#include "bridge/bridge.h"
#include "cli/cli.h"
#include "consume.h"
#include "publish.h"
#include "target.h"

static const char *const schemes[] = {"amqp", "amqps", NULL};

/* The other side, for people. */
static const char *show(const struct url *url, const struct target *target)
{
    static char text[1024];
    if (!*target->exchange)
        return url->shown;
    (void)snprintf(text, sizeof text, "%s?exchange=%s", url->shown, target->exchange);
    return text;
}

int main(int argc, char **argv)
{
    struct bridge_arguments arguments;
    struct bridge bridge;
    struct url url;
    const char *queue;
    bridge_parse(argc, argv, &arguments);
    const bool is_out = bridge_sides(&arguments, schemes, target_parameters, &url, &queue);
    const struct target target = target_of(&url, is_out);
    signal(SIGPIPE, SIG_IGN);
    int status = bridge_open(&bridge, &arguments, show(&url, &target));
    if (status == STATUS_DONE)
        status = is_out ? publish_run(&bridge, queue, &target) : consume_run(&bridge, queue, &target);
    url_release(&url);
    return status;
}
