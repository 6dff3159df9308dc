/*
 * What the URL of a stream says: redis://[USER@]HOST[:PORT]/DATABASE/STREAM[?…], or rediss:// for TLS.
 *
 *     struct place place;
 *     place_read(&url, is_source, queue, &place);
 */
#ifndef REDIS_PLACE_H
#define REDIS_PLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "bridge/secret.h"
#include "bridge/url.h"

#define PLACE_CONSUMER_SIZE 512

/* The schemes and the parameters that a URL may have; both end with NULL. */
extern const char *const place_schemes[];
extern const char *const place_parameters[];

struct place {
    const struct url *url;
    const char *port, *database, *stream;
    const char *password; /* NULL: none */
    const char *body;     /* the field that the body is in */
    char *header_body;    /* the field of a header that has this name */
    /* of a source */
    const char *group;
    char consumer[PLACE_CONSUMER_SIZE]; /* under which the server keeps what this bridge has not acked */
    int64_t idle; /* what another consumer has left alone for this long is taken from it; microseconds */
    /* of a destination */
    const char *most; /* about how many entries the stream keeps; NULL: all */
    bool has_tls;
    struct secret_files files;
};

/* Ends the program if the URL is not one of a stream, or if the password or a file cannot be read. `queue` is the name
   of the queue here, which the default name of the consumer is made of. */
void place_read(const struct url *url, bool is_source, const char *queue, struct place *ret_place);
void place_release(struct place *place);

#endif
