/* What the URL of a stream says. */
#include "bridge-redis/place.h"

#include <limits.h>
#include <mq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/sha256.h"
#include "base/units.h"
#include "cli/cli.h"

#define PORT "6379"
#define BODY "body"
#define IDLE (60 * CLOCK_SECOND)
#define LEAST_IDLE (CLOCK_SECOND / 10)
#define HOST_SHOWN 64

const char *const place_schemes[] = {"redis", "rediss", NULL};
const char *const place_parameters[] = {"group", "consumer", "idle", "maxlen", "body", SECRET_PARAMETERS, NULL};

__attribute__((noreturn)) static void refuse(const struct url *url, const char *words)
{
    exit(cli_fail(STATUS_USAGE, url->shown, "%s", words));
}

/* Refuse parameters that have no meaning for this URL. */
static void check_parameters(const struct url *url, bool is_source)
{
    static const char *const of_source[] = {"group", "consumer", "idle"}, *const of_tls[] = {SECRET_PARAMETERS};
    for (size_t i = 0; i < 3; i++) {
        if (!is_source && url_parameter(url, of_source[i]))
            exit(cli_fail(STATUS_USAGE, url->shown, "%s is for a stream that messages come from", of_source[i]));
        if (strcmp(url->scheme, place_schemes[0]) == 0 && url_parameter(url, of_tls[i]))
            exit(cli_fail(STATUS_USAGE, url->shown, "%s is for rediss://", of_tls[i]));
    }
    if (is_source && url_parameter(url, "maxlen"))
        refuse(url, "maxlen is for a stream that messages go to");
    for (size_t i = 0; i < url->parameter_count; i++)
        if (!*url->parameters[i].value)
            exit(cli_fail(STATUS_USAGE, url->shown, "%s: empty", url->parameters[i].name));
}

/*
 * The same bridge has the same name whenever it is started, so that it gets what it had not acked when it was killed.
 * Another one, of another host, spool or queue, has another name.
 */
static void name_consumer(const char *queue, char consumer[PLACE_CONSUMER_SIZE])
{
    char host[HOST_SHOWN + 1] = "", path[PATH_MAX] = "", digest[SHA256_TEXT_SIZE];
    (void)gethostname(host, HOST_SHOWN);
    const int error = mq_spool_path(cli_spool, path, sizeof path);
    if (error)
        exit(cli_error(error, NULL, "cannot tell where the spool is"));
    char *real = realpath(path, NULL);
    const char *spool = real ? real : path;
    struct sha256 hash = sha256_begin();
    sha256_add(&hash, spool, strlen(spool));
    sha256_end(&hash, digest);
    free(real);
    (void)snprintf(consumer, PLACE_CONSUMER_SIZE, "mq-bridge:%s:%.12s:%s", host, digest, queue);
}

static void read_source(const struct url *url, const char *queue, struct place *place)
{
    const char *consumer = url_parameter(url, "consumer"), *idle = url_parameter(url, "idle");
    place->group = url_parameter(url, "group");
    place->idle = IDLE;
    if (!place->group)
        refuse(url, "a stream that messages come from needs ?group=GROUP");
    if (consumer && strlen(consumer) >= PLACE_CONSUMER_SIZE)
        refuse(url, "consumer: too long");
    if (idle && (!units_parse_duration(idle, &place->idle) || place->idle < LEAST_IDLE))
        refuse(url, "idle is a duration of at least 100ms");
    if (consumer)
        (void)stpcpy(place->consumer, consumer);
    else
        name_consumer(queue, place->consumer);
}

void place_read(const struct url *url, bool is_source, const char *queue, struct place *ret_place)
{
    uint64_t number;
    if (url->segment_count != 2 || !units_parse_number(url->segments[0], INT_MAX, &number) || !*url->segments[1])
        refuse(url, "behind the host belong / and the number of a database, and / and the name of a stream");
    check_parameters(url, is_source);
    const char *body = url_parameter(url, "body"), *most = url_parameter(url, "maxlen");
    if (most && (!units_parse_number(most, INT64_MAX, &number) || number == 0))
        refuse(url, "maxlen is a number of entries from 1 on");
    *ret_place = (struct place){
        .url = url,
        .port = url->port ? url->port : PORT,
        .database = url->segments[0],
        .stream = url->segments[1],
        .body = body ? body : BODY,
        .most = most,
        .has_tls = strcmp(url->scheme, place_schemes[0]) != 0,
    };
    if (asprintf(&ret_place->header_body, "header:%s", ret_place->body) < 0)
        exit(cli_error(-ENOMEM, NULL, "cannot go on"));
    if (is_source)
        read_source(url, queue, ret_place);
    ret_place->files = secret_files(url);
    ret_place->password = secret_password();
    if (url->user && !ret_place->password)
        refuse(url, "a user needs a password: MQ_BRIDGE_PASSWORD_FILE names the file that has it");
}

void place_release(struct place *place)
{
    free(place->header_body);
    place->header_body = NULL;
}
