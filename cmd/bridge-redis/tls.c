/* TLS, by OpenSSL. */
#include "bridge-redis/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tls {
    SSL_CTX *context;
    SSL *ssl;
    bool wants_write;
    char words[TLS_WORDS_SIZE];
};

/* Keep OpenSSL's words about the last error. */
static int fail(struct tls *tls, const char *what)
{
    const unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    const long verified = tls->ssl ? SSL_get_verify_result(tls->ssl) : X509_V_OK;
    if (verified != X509_V_OK)
        reason = X509_verify_cert_error_string(verified);
    (void)snprintf(tls->words, sizeof tls->words, "%s: %s", what, reason ? reason : "unknown reason");
    ERR_clear_error();
    return -EPROTO;
}

/* ---- opening --------------------------------------------------------------------- */

static int use_files(struct tls *tls, const struct secret_files *files)
{
    SSL_CTX *context = tls->context;
    const char *trusted = files->authorities;
    if ((trusted ? SSL_CTX_load_verify_locations(context, trusted, NULL) : SSL_CTX_set_default_verify_paths(context)) !=
        1)
        return fail(tls, "cacertfile");
    if (!files->certificate)
        return 0;
    if (SSL_CTX_use_certificate_chain_file(context, files->certificate) != 1)
        return fail(tls, "certfile");
    if (SSL_CTX_use_PrivateKey_file(context, files->key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return fail(tls, "keyfile");
    return 0;
}

/* A host that is an address is verified as one, and is not named to the other side. */
static bool expect_host(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static int begin(struct tls *tls, int fd, const char *host, const struct secret_files *files)
{
    tls->context = SSL_CTX_new(TLS_client_method());
    if (!tls->context || SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION) != 1)
        return fail(tls, "cannot use TLS");
    SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER, NULL);
    /* The end of the connection inside of a reply is noticed without TLS, too. */
    SSL_CTX_set_options(tls->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(tls->context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    const int error = use_files(tls, files);
    if (error)
        return error;
    tls->ssl = SSL_new(tls->context);
    if (!tls->ssl || SSL_set_fd(tls->ssl, fd) != 1 || !expect_host(tls->ssl, host))
        return fail(tls, "cannot use TLS");
    SSL_set_connect_state(tls->ssl);
    return 0;
}

int tls_open(struct tls **ret_tls, int fd, const char *host, const struct secret_files *files)
{
    struct tls *tls = calloc(1, sizeof *tls);
    *ret_tls = tls;
    return tls ? begin(tls, fd, host, files) : -ENOMEM;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    SSL_free(tls->ssl);
    SSL_CTX_free(tls->context);
    free(tls);
}

/* ---- reading and writing --------------------------------------------------------- */

/* What a call that returned `returned` means, in errno's words. 0: the connection has ended. */
static int meaning(struct tls *tls, int returned, const char *what)
{
    const int error = errno;
    tls->wants_write = false;
    switch (SSL_get_error(tls->ssl, returned)) {
    case SSL_ERROR_WANT_WRITE:
        tls->wants_write = true;
        return -EAGAIN;
    case SSL_ERROR_WANT_READ:
        return -EAGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return 0;
    case SSL_ERROR_SYSCALL:
        ERR_clear_error();
        return error ? -error : -ECONNRESET;
    default:
        return fail(tls, what);
    }
}

int tls_handshake(struct tls *tls)
{
    ERR_clear_error();
    errno = 0;
    const int done = SSL_do_handshake(tls->ssl);
    if (done == 1)
        return 0;
    const int error = meaning(tls, done, "TLS");
    return error ? error : -ECONNRESET;
}

ssize_t tls_read(struct tls *tls, void *bytes, size_t size)
{
    size_t got;
    ERR_clear_error();
    errno = 0;
    const int done = SSL_read_ex(tls->ssl, bytes, size, &got);
    return done == 1 ? (ssize_t)got : meaning(tls, done, "TLS");
}

ssize_t tls_write(struct tls *tls, const void *bytes, size_t size)
{
    size_t put;
    ERR_clear_error();
    errno = 0;
    const int done = SSL_write_ex(tls->ssl, bytes, size, &put);
    if (done == 1)
        return (ssize_t)put;
    const int error = meaning(tls, done, "TLS");
    return error ? error : -EPIPE;
}

bool tls_wants_write(const struct tls *tls)
{
    return tls->wants_write;
}

bool tls_is_distrusted(const struct tls *tls)
{
    return tls->ssl && SSL_get_verify_result(tls->ssl) != X509_V_OK;
}

const char *tls_words(const struct tls *tls)
{
    return tls->words;
}
