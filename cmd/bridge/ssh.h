/*
 * A program on another host, by ssh(1). What is run there is always the same text; the name of the queue and the spool go
 * to it as lines of its standard input, so that no shell ever reads them as words of its own.
 *
 *     queue = ssh_queue(&url, false);
 *     result = ssh_open(&stream, bridge, &url, script, words);
 */
#ifndef BRIDGE_SSH_H
#define BRIDGE_SSH_H

#include "bridge/stream.h"
#include "bridge/url.h"

/* Lines that do not begin with this belong to whatever the login shell there prints. */
#define SSH_GREETING "=mq-bridge"

/* The parameters that a URL may have; ends with NULL. */
extern const char *const ssh_parameters[];

/* The name of the queue there, or where `is_source` also of a group of a log. Ends the program if the URL has none. */
const char *ssh_queue(const struct url *url, bool is_source);

/* Begin to run the script. It reads the queue, the spool, which may be empty, and `option`, a line each. */
enum bridge_result ssh_open(struct stream *stream, struct bridge *bridge, const struct url *url, const char *queue,
                            const char *script, const char *option);

/* What the exit status of ssh, or of what ran there, says about the connection. */
enum bridge_result ssh_ended(const struct stream *stream, struct bridge *bridge, int status);

#endif
