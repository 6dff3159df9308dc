/* A connection to a cluster of Kafka. */
#include "bridge-kafka/kafka.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"

#define TOPIC_MOST 249
#define CONNECT_FOR (10 * CLOCK_SECOND)
#define FIRST_PATIENCE 100 /* milliseconds, for one answer */
#define MOST_PATIENCE 2000
/* So long librdkafka may try to connect anew, before what is in transit is given back. */
#define AWAY_FOLLOW (30 * CLOCK_SECOND)
#define AWAY (5 * CLOCK_SECOND)

const char *const kafka_parameters[] = {"group", SECRET_PARAMETERS, NULL};

/* ---- the URL --------------------------------------------------------------------- */

static bool is_topic(const char *text)
{
    const size_t length = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
    return length > 0 && length <= TOPIC_MOST && !text[length] && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static bool is_encrypted(const struct kafka *kafka)
{
    return strcmp(kafka->url->scheme, "kafkas") == 0;
}

void kafka_prepare(struct kafka *kafka, const struct url *url, bool is_out)
{
    *kafka = (struct kafka){.url = url, .event = -1, .timer = -1, .group = url_parameter(url, "group")};
    if (url->segment_count != 1 || !is_topic(url->segments[0]))
        exit(cli_fail(STATUS_USAGE, url->shown, "behind the brokers belongs / and the name of a topic"));
    kafka->topic = url->segments[0];
    if (is_out && kafka->group)
        exit(cli_fail(STATUS_USAGE, url->shown, "group: only messages that come from a topic have one"));
    if (!is_out && (!kafka->group || !*kafka->group))
        exit(cli_fail(STATUS_USAGE, url->shown, "?group=GROUP has to say which group of consumers this is"));
    kafka->files = secret_files(url);
    if (!is_encrypted(kafka) && (kafka->files.authorities || kafka->files.certificate))
        exit(cli_fail(STATUS_USAGE, url->shown, "files for TLS belong to kafkas://, and kafka:// is without TLS"));
    kafka->password = secret_password();
    if (url->user && !kafka->password)
        exit(cli_fail(STATUS_CONFIG, url->shown,
                      "%s has no password: put it into a file, and the name of the file into "
                      "MQ_BRIDGE_PASSWORD_FILE",
                      url->user));
}

/* ---- settings -------------------------------------------------------------------- */

/* As librdkafka wants them: HOST:PORT,… */
static char *brokers(const struct url *url)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (size_t i = 0; out && i < url->host_count; i++) {
        const struct url_host *host = &url->hosts[i];
        (void)fprintf(out, strchr(host->name, ':') ? "%s[%s]:%s" : "%s%s:%s", i ? "," : "", host->name,
                      host->port ? host->port : "9092");
    }
    if (!out || fclose(out) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool set(struct kafka *kafka, rd_kafka_conf_t *settings, const char *name, const char *value)
{
    char problem[256];
    if (!value || rd_kafka_conf_set(settings, name, value, problem, sizeof problem) == RD_KAFKA_CONF_OK)
        return true;
    (void)bridge_trouble(kafka->bridge, BRIDGE_FAILED, STATUS_CONFIG, "%s", problem);
    return false;
}

static bool set_all(struct kafka *kafka, rd_kafka_conf_t *settings, const char *const (*pairs)[2])
{
    for (; (*pairs)[0]; pairs++)
        if (!set(kafka, settings, (*pairs)[0], (*pairs)[1]))
            return false;
    return true;
}

static bool set_access(struct kafka *kafka, rd_kafka_conf_t *settings)
{
    const char *user = kafka->url->user, *const protocols[2][2] = {{"plaintext", "sasl_plaintext"},
                                                                   {"ssl", "sasl_ssl"}};
    const char *const always[][2] = {
        {"security.protocol", protocols[is_encrypted(kafka)][user != NULL]},
        {"sasl.mechanism", user ? "PLAIN" : NULL},
        {"sasl.username", user},
        {"sasl.password", user ? kafka->password : NULL},
        {NULL, NULL},
    };
    const char *const encrypted[][2] = {
        {"enable.ssl.certificate.verification", "true"}, {"ssl.endpoint.identification.algorithm", "https"},
        {"ssl.ca.location", kafka->files.authorities},   {"ssl.certificate.location", kafka->files.certificate},
        {"ssl.key.location", kafka->files.key},          {NULL, NULL},
    };
    return set_all(kafka, settings, always) && (!is_encrypted(kafka) || set_all(kafka, settings, encrypted));
}

static void note_error(rd_kafka_t *handle, int error, const char *reason, void *opaque);

rd_kafka_conf_t *kafka_settings(struct kafka *kafka, const char *const (*more)[2])
{
    char *servers = brokers(kafka->url);
    rd_kafka_conf_t *settings = rd_kafka_conf_new();
    const char *const common[][2] = {
        {"bootstrap.servers", servers},
        {"client.id", "mq-bridge"},
        {"allow.auto.create.topics", kafka->bridge->arguments->create ? "true" : "false"},
        {"reconnect.backoff.max.ms", "2000"},
        {NULL, NULL},
    };
    if (!servers)
        (void)bridge_trouble(kafka->bridge, BRIDGE_FAILED, STATUS_TRY_LATER, "%s", cli_reason(-ENOMEM));
    rd_kafka_conf_set_opaque(settings, kafka);
    rd_kafka_conf_set_log_cb(settings, NULL);
    rd_kafka_conf_set_error_cb(settings, note_error);
    const bool done = servers && set_all(kafka, settings, common) && set_access(kafka, settings) &&
                      set_all(kafka, settings, more);
    free(servers);
    if (done)
        return settings;
    rd_kafka_conf_destroy(settings);
    return NULL;
}

/* ---- errors ---------------------------------------------------------------------- */

static enum bridge_result fail(struct kafka *kafka, enum bridge_result result, int status, rd_kafka_resp_err_t error)
{
    return bridge_trouble(kafka->bridge, result, status, "%s", rd_kafka_err2str(error));
}

enum bridge_result kafka_trouble(struct kafka *kafka, rd_kafka_resp_err_t error)
{
    switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        return bridge_trouble(kafka->bridge, BRIDGE_FAILED, STATUS_NO_QUEUE,
                              "there is no such topic (--create makes "
                              "it)");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
        return fail(kafka, BRIDGE_FAILED, STATUS_PERMISSION, error);
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_INVALID_GROUP_ID:
        return fail(kafka, BRIDGE_FAILED, STATUS_USAGE, error);
    case RD_KAFKA_RESP_ERR__BAD_MSG:
        return fail(kafka, BRIDGE_FAILED, STATUS_DATA, error);
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
    case RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT:
        return fail(kafka, BRIDGE_REFUSED, STATUS_DATA, error);
    default:
        return fail(kafka, BRIDGE_LOST, STATUS_TRY_LATER, error);
    }
}

static void arm(const struct kafka *kafka, bool is_on)
{
    const struct timespec every = {.tv_sec = is_on};
    (void)timerfd_settime(kafka->timer, 0, &(struct itimerspec){every, every}, NULL);
}

void kafka_heard(struct kafka *kafka)
{
    if (kafka->away_since)
        arm(kafka, false);
    kafka->away_since = 0;
    kafka->has_words = false;
}

/* Of a connection that was never there, a certificate or a password that is wrong is the last word. */
static enum bridge_result keep_words(struct kafka *kafka, int error, const char *reason)
{
    const bool is_distrust = error == RD_KAFKA_RESP_ERR__AUTHENTICATION || strstr(reason, "certificate");
    enum bridge_result result = BRIDGE_LOST;
    int status = STATUS_TRY_LATER;
    if (!kafka->bridge->was_up && (is_distrust || error == RD_KAFKA_RESP_ERR__SSL)) {
        result = BRIDGE_FAILED;
        status = is_distrust ? STATUS_PERMISSION : STATUS_UNAVAILABLE;
    }
    kafka->has_words = true;
    return bridge_trouble(kafka->bridge, result, status, "%s", reason);
}

/* What librdkafka says on its own, mostly of connections that it will make again. */
static void note_error(rd_kafka_t *handle, int error, const char *reason, void *opaque)
{
    struct kafka *kafka = opaque;
    char words[BRIDGE_WORDS_SIZE];
    if (kafka->fault != BRIDGE_OK)
        return;
    if (error == RD_KAFKA_RESP_ERR__FATAL) {
        (void)rd_kafka_fatal_error(handle, words, sizeof words);
        kafka->fault = keep_words(kafka, error, words);
        return;
    }
    if (error != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !kafka->has_words) {
        const enum bridge_result result = keep_words(kafka, error, reason);
        kafka->fault = result == BRIDGE_FAILED ? result : BRIDGE_OK;
    }
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && !kafka->away_since) {
        kafka->away_since = clock_monotonic();
        arm(kafka, true);
    }
}

/* ---- connecting ------------------------------------------------------------------ */

/* Ask any broker about the topic. */
static rd_kafka_resp_err_t ask_for_topic(struct kafka *kafka, int patience)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t error = rd_kafka_metadata(kafka->handle, 0, kafka->topic_handle, &metadata, patience);
    if (error)
        return error;
    error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    rd_kafka_metadata_destroy(metadata);
    return error;
}

static bool may_come(const struct kafka *kafka, rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR__TIMED_OUT || error == RD_KAFKA_RESP_ERR__TRANSPORT ||
           error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE ||
           (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART && kafka->bridge->arguments->create);
}

static enum bridge_result find_topic(struct kafka *kafka)
{
    const int64_t until = clock_monotonic() + CONNECT_FOR;
    for (int patience = FIRST_PATIENCE;; patience = patience < MOST_PATIENCE ? 2 * patience : MOST_PATIENCE) {
        const rd_kafka_resp_err_t error = ask_for_topic(kafka, patience);
        if (!error) {
            kafka_heard(kafka);
            kafka->fault = BRIDGE_OK;
            bridge_is_up(kafka->bridge);
            return BRIDGE_OK;
        }
        (void)rd_kafka_poll(kafka->handle, FIRST_PATIENCE);
        if (kafka->fault != BRIDGE_OK)
            return kafka->fault;
        if (!may_come(kafka, error))
            return kafka_trouble(kafka, error);
        if (kafka->away_since)
            return BRIDGE_LOST;
        if (clock_monotonic() >= until)
            return kafka->has_words ? BRIDGE_LOST : kafka_trouble(kafka, error);
    }
}

static bool open_descriptors(struct kafka *kafka)
{
    if (kafka->event < 0)
        kafka->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (kafka->timer < 0)
        kafka->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (kafka->event < 0 || kafka->timer < 0)
        return false;
    bridge_watch(kafka->bridge, kafka->event, EPOLLIN);
    bridge_watch(kafka->bridge, kafka->timer, EPOLLIN);
    return true;
}

enum bridge_result kafka_open(struct kafka *kafka, rd_kafka_type_t type, rd_kafka_conf_t *settings)
{
    char problem[256];
    kafka->fault = BRIDGE_OK;
    kafka_heard(kafka);
    if (!open_descriptors(kafka)) {
        rd_kafka_conf_destroy(settings);
        return bridge_trouble(kafka->bridge, BRIDGE_FAILED, STATUS_IO, "%s", cli_reason(-errno));
    }
    kafka->handle = rd_kafka_new(type, settings, problem, sizeof problem);
    if (!kafka->handle) {
        rd_kafka_conf_destroy(settings);
        return bridge_trouble(kafka->bridge, BRIDGE_FAILED, STATUS_CONFIG, "%s", problem);
    }
    kafka->topic_handle = rd_kafka_topic_new(kafka->handle, kafka->topic, NULL);
    return kafka->topic_handle ? find_topic(kafka) : kafka_trouble(kafka, rd_kafka_last_error());
}

void kafka_watch(struct kafka *kafka, rd_kafka_queue_t *queue)
{
    const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(queue, kafka->event, &one, sizeof one);
}

/* ---- while it is there ----------------------------------------------------------- */

void kafka_wake(struct kafka *kafka)
{
    uint64_t count;
    (void)!read(kafka->event, &count, sizeof count);
}

enum bridge_result kafka_look(struct kafka *kafka)
{
    uint64_t ticks;
    if (kafka->fault != BRIDGE_OK || !kafka->away_since)
        return kafka->fault;
    if (read(kafka->timer, &ticks, sizeof ticks) != sizeof ticks)
        return BRIDGE_OK;
    /* An idle broker ends a connection, and no more than a question makes it again. */
    if (ask_for_topic(kafka, FIRST_PATIENCE) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        kafka_heard(kafka);
        return BRIDGE_OK;
    }
    if (kafka->bridge->told == TOLD_NOTHING)
        bridge_is_away(kafka->bridge);
    const int64_t longest = kafka->bridge->arguments->follow ? AWAY_FOLLOW : AWAY;
    return clock_monotonic() - kafka->away_since > longest ? BRIDGE_LOST : BRIDGE_OK;
}

void kafka_close(struct kafka *kafka, int flags)
{
    if (kafka->topic_handle)
        rd_kafka_topic_destroy(kafka->topic_handle);
    if (kafka->handle)
        rd_kafka_destroy_flags(kafka->handle, flags);
    kafka->topic_handle = NULL;
    kafka->handle = NULL;
}
