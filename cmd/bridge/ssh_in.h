/* In by ssh: mq-recv and mq-ack there, which a small loop of the shell runs as it is asked to. */
#ifndef SSH_IN_H
#define SSH_IN_H

#include "bridge/bridge.h"
#include "bridge/url.h"

int ssh_in(struct bridge *bridge, const char *queue, const struct url *url);

#endif
