/*
 * What a URL of RabbitMQ means: amqp://[USER@]HOST[:PORT]/VHOST/QUEUE, or to an exchange /VHOST?exchange=E&key=K.
 *
 *     const struct target target = target_of(&url, is_out);
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>

#include "bridge/secret.h"
#include "bridge/url.h"

struct target {
    const char *host;
    int port;
    bool is_tls;
    struct secret_files files;
    const char *user, *password;
    const char *vhost;
    const char *queue;    /* NULL: messages go to an exchange */
    const char *exchange; /* of a queue the one without a name */
    const char *key;      /* NULL: each message has its own */
    int heartbeat;        /* seconds */
    unsigned prefetch;
    bool rejects; /* what is refused here goes to the dead-letter exchange there; else it stays in its queue */
};

/* The parameters that a URL may have; ends with NULL. */
extern const char *const target_parameters[];

/* Ends the program if the URL is not one that can be used. */
struct target target_of(const struct url *url, bool is_out);

#endif
