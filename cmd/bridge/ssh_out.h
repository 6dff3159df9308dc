/* Out by ssh: mq-send there, whose printed ids are the confirmations. */
#ifndef SSH_OUT_H
#define SSH_OUT_H

#include "bridge/bridge.h"
#include "bridge/url.h"

int ssh_out(struct bridge *bridge, const char *queue, const struct url *url);

#endif
