/* mq-bridge-redis: carry messages between a queue here and a stream of Redis. */
#include <signal.h>

#include "bridge-redis/place.h"
#include "bridge-redis/redis_in.h"
#include "bridge-redis/redis_out.h"
#include "bridge/arguments.h"
#include "bridge/bridge.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
    struct bridge_arguments arguments;
    struct bridge bridge;
    struct url url;
    struct place place;
    const char *queue;
    bridge_parse(argc, argv, &arguments);
    const bool is_out = bridge_sides(&arguments, place_schemes, place_parameters, &url, &queue);
    place_read(&url, !is_out, queue, &place);
    signal(SIGPIPE, SIG_IGN);
    int status = bridge_open(&bridge, &arguments, url.shown);
    if (status == STATUS_DONE)
        status = is_out ? redis_out(&bridge, queue, &place) : redis_in(&bridge, queue, &place);
    place_release(&place);
    url_release(&url);
    return status;
}
