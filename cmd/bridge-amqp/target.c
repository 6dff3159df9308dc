/* What a URL of RabbitMQ means. */
#include "target.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/cli.h"

#define NAME_MOST 255 /* bytes that a short string of the protocol holds */

const char *const target_parameters[] = {"exchange",        "key", "heartbeat", "prefetch", "refused",
                                         SECRET_PARAMETERS, NULL};

/* Where Linux distributions keep the authorities that a machine trusts: librabbitmq does not look for them. */
static const char *trusted_here(void)
{
    static const char *const places[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
                                         "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (access(places[i], R_OK) == 0)
            return places[i];
    return NULL;
}

__attribute__((noreturn)) static void wrong(const struct url *url, const char *what)
{
    exit(cli_fail(STATUS_USAGE, url->shown, "%s", what));
}

static unsigned number(const struct url *url, const char *name, unsigned most, unsigned otherwise)
{
    uint64_t value = 0;
    const char *text = url_parameter(url, name);
    if (text && (!units_parse_number(text, most, &value) || value == 0))
        exit(cli_fail(STATUS_USAGE, url->shown, "%s: not a number from 1 to %u", name, most));
    return text ? (unsigned)value : otherwise;
}

static void take_path(const struct url *url, bool is_out, struct target *ret_target)
{
    const char *exchange = url_parameter(url, "exchange");
    if (url->segment_count == 0)
        wrong(url,
              "behind the host belongs / and a virtual host, %2F for the one named /, and then / and a queue there");
    ret_target->vhost = *url->segments[0] ? url->segments[0] : "/";
    ret_target->queue = url->segment_count == 2 ? url->segments[1] : NULL;
    ret_target->exchange = exchange ? exchange : "";
    ret_target->key = url_parameter(url, "key");
    if (url->segment_count > 2 || (ret_target->queue && !*ret_target->queue))
        wrong(url, "behind the virtual host belongs / and the name of a queue there, with %2F for each / in it");
    if (!is_out && (exchange || ret_target->key))
        wrong(url, "messages come from a queue: bind one to the exchange there");
    if (ret_target->queue && (exchange || ret_target->key))
        wrong(url, "messages go to a queue or to an exchange, not to both");
    if (!ret_target->queue && !exchange)
        wrong(url, is_out ? "there is neither a queue nor an exchange in it" : "there is no queue in it");
    const char *const names[] = {ret_target->vhost, ret_target->queue, exchange, ret_target->key};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i] && strlen(names[i]) > NAME_MOST)
            wrong(url, "a name there has at most 255 bytes");
}

static void take_credentials(const struct url *url, struct target *ret_target)
{
    const char *password = secret_password();
    ret_target->user = url->user ? url->user : "guest";
    ret_target->password = password ? password : "guest";
    if (!password && url->user && strcmp(url->user, "guest") != 0)
        exit(cli_fail(STATUS_CONFIG, url->shown,
                      "there is no password: MQ_BRIDGE_PASSWORD_FILE is to name the file that it is in"));
    ret_target->files = secret_files(url);
    if (!ret_target->is_tls && (ret_target->files.authorities || ret_target->files.certificate))
        wrong(url, "certificates are for URLs that begin with amqps://");
    if (ret_target->is_tls && !ret_target->files.authorities)
        ret_target->files.authorities = trusted_here();
}

struct target target_of(const struct url *url, bool is_out)
{
    struct target target = {.host = url->host, .is_tls = strcmp(url->scheme, "amqps") == 0};
    const char *refused = url_parameter(url, "refused");
    take_path(url, is_out, &target);
    target.port = url->port ? atoi(url->port) : target.is_tls ? 5671 : 5672;
    target.heartbeat = (int)number(url, "heartbeat", 3600, 30);
    target.prefetch = number(url, "prefetch", 65535, 1024);
    if (is_out && (refused || url_parameter(url, "prefetch")))
        wrong(url, "refused and prefetch are for messages that come from there");
    if (refused && strcmp(refused, "keep") != 0 && strcmp(refused, "reject") != 0)
        wrong(url, "refused is keep or reject");
    target.rejects = refused && strcmp(refused, "reject") == 0;
    take_credentials(url, &target);
    return target;
}
