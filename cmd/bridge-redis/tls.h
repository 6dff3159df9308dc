/*
 * TLS upon a socket that does not wait. The other side is always verified: its certificate, and that it has the name or the
 * address of the URL.
 *
 *     error = tls_open(&tls, fd, host, &files);
 *     got = tls_read(tls, bytes, size);
 *     tls_close(tls);
 *
 * A negative return is an errno. -EAGAIN: call again when the socket can be read, or written if tls_wants_write. -EPROTO:
 * tls_words say what is wrong.
 */
#ifndef REDIS_TLS_H
#define REDIS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "bridge/secret.h"

#define TLS_WORDS_SIZE 256

struct tls;

/* -EPROTO: a file is not what it should be. */
int tls_open(struct tls **ret_tls, int fd, const char *host, const struct secret_files *files);
void tls_close(struct tls *tls); /* NULL is fine */

int tls_handshake(struct tls *tls); /* 0: it is done */
ssize_t tls_read(struct tls *tls, void *bytes, size_t size);
ssize_t tls_write(struct tls *tls, const void *bytes, size_t size);

bool tls_wants_write(const struct tls *tls);
bool tls_is_distrusted(const struct tls *tls); /* the certificate of the other side was not accepted */
const char *tls_words(const struct tls *tls);

#endif
