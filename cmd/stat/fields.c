/* The named figures of queues, topics and transactions. */
#include "stat/fields.h"

#include "base/units.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "text/human.h"
#include "text/text.h"

#define SECOND 1e6

/* ---- what is computed ------------------------------------------------------------- */

static const double seconds_of[MQ_SPANS] = {60, 300, 900};

static double oldest(const struct snapshot *snapshot, enum mq_span span)
{
    (void)span;
    if (!snapshot->stats.oldest)
        return NAN;
    return snapshot->taken > snapshot->stats.oldest ? (double)(snapshot->taken - snapshot->stats.oldest) / SECOND : 0;
}

/* The time that the consumers need for the ready messages at their average pace over `span`; of a group the age of the
   message that comes next. */
static double lag(const struct snapshot *snapshot, enum mq_span span)
{
    const uint64_t ready = snapshot->stats.count[MQ_READY];
    if (snapshot->stats.is_group)
        return snapshot->stats.oldest ? oldest(snapshot, span) : 0;
    return ready == 0 ? 0 : (double)ready / snapshot->stats.acked_rate[span];
}

/* The messages that have not been acked. */
static double unacked(const struct snapshot *snapshot, enum mq_span span)
{
    const struct mq_stats *stats = &snapshot->stats;
    (void)span;
    return (double)(stats->is_group ? stats->lag
                                    : stats->count[MQ_READY] + stats->count[MQ_DELAYED] + stats->count[MQ_INFLIGHT]);
}

static double next(const struct snapshot *snapshot, enum mq_span span)
{
    (void)span;
    return snapshot->stats.is_group ? (double)snapshot->stats.next : NAN;
}

static double missed(const struct snapshot *snapshot, enum mq_span span)
{
    (void)span;
    return snapshot->stats.is_group ? (double)snapshot->stats.missed : NAN;
}

static double in_of(const struct snapshot *snapshot, enum mq_span span)
{
    return snapshot->stats.sent_rate[span];
}

static double out_of(const struct snapshot *snapshot, enum mq_span span)
{
    return snapshot->stats.acked_rate[span];
}

/* The share of failed attempts. NAN: there were no attempts; fewer than a twentieth of one in the whole time is what
   remains of a decayed average. */
static double share(double failed, double acked, double seconds)
{
    return (failed + acked) * seconds < 0.05 ? NAN : 100 * failed / (failed + acked);
}

static double errors_of(const struct snapshot *snapshot, enum mq_span span)
{
    return share(snapshot->stats.failed_rate[span], snapshot->stats.acked_rate[span], seconds_of[span]);
}

static double in_now(const struct snapshot *snapshot, enum mq_span span)
{
    (void)span;
    return snapshot->in;
}

static double out_now(const struct snapshot *snapshot, enum mq_span span)
{
    (void)span;
    return snapshot->out;
}

static double errors_now(const struct snapshot *snapshot, enum mq_span span)
{
    return share(snapshot->failed, snapshot->out, seconds_of[span]);
}

static const char *paused(const struct snapshot *snapshot)
{
    static const char *const words[] = {"none", "receive", "send", "all"};
    return words[snapshot->stats.paused & (MQ_PAUSE_RECEIVE | MQ_PAUSE_SEND)];
}

static double held(const struct snapshot *snapshot, enum mq_span span)
{
    uint64_t count = 0;
    (void)span;
    for (int i = 0; i < MQ_HELD_BUCKETS; i++)
        count += snapshot->stats.held[i];
    return count ? (double)snapshot->stats.held_total / (double)count / SECOND : NAN;
}

/* ---- the fields -------------------------------------------------------------------- */

#define COUNTER(member) .counter = offsetof(struct snapshot, stats.member)
#define TOPIC(member) .kind_of = SNAPSHOT_TOPIC, .counter = offsetof(struct snapshot, topic.member)
#define SPOOL(member) .kind_of = SNAPSHOT_SPOOL, .counter = offsetof(struct snapshot, member)
#define SPAN(name, title, kind, compute, span)                                                                         \
    {                                                                                                                  \
        name, title, kind, SNAPSHOT_QUEUE, 0, compute, span, NULL                                                      \
    }

const struct field fields[] = {
    {"queue", "QUEUE", FIELD_NAME, .counter = 0},
    {"ready", "READY", FIELD_COUNT, COUNTER(count[MQ_READY])},
    {"delayed", "DELAYED", FIELD_COUNT, COUNTER(count[MQ_DELAYED])},
    {"inflight", "INFLIGHT", FIELD_COUNT, COUNTER(count[MQ_INFLIGHT])},
    {"dead", "DEAD", FIELD_COUNT, COUNTER(count[MQ_DEAD])},
    {"oldest_seconds", "OLDEST", FIELD_DURATION, .compute = oldest},
    {"lag_seconds", "LAG", FIELD_DURATION, .compute = lag, .span = MQ_5_MINUTES},
    {"lag", "UNACKED", FIELD_COUNT, .compute = unacked},
    {"next", "NEXT", FIELD_COUNT, .compute = next},
    {"missed", "MISSED", FIELD_COUNT, .compute = missed},
    {"in", "IN/s", FIELD_RATE, .compute = in_now},
    {"out", "OUT/s", FIELD_RATE, .compute = out_now},
    {"errors", "ERR%", FIELD_PERCENT, .compute = errors_now},
    {"bytes", "SIZE", FIELD_SIZE, COUNTER(bytes)},
    SPAN("in_1m", "IN/s-1m", FIELD_RATE, in_of, MQ_1_MINUTE),
    SPAN("in_5m", "IN/s-5m", FIELD_RATE, in_of, MQ_5_MINUTES),
    SPAN("in_15m", "IN/s-15m", FIELD_RATE, in_of, MQ_15_MINUTES),
    SPAN("out_1m", "OUT/s-1m", FIELD_RATE, out_of, MQ_1_MINUTE),
    SPAN("out_5m", "OUT/s-5m", FIELD_RATE, out_of, MQ_5_MINUTES),
    SPAN("out_15m", "OUT/s-15m", FIELD_RATE, out_of, MQ_15_MINUTES),
    SPAN("errors_1m", "ERR%-1m", FIELD_PERCENT, errors_of, MQ_1_MINUTE),
    SPAN("errors_5m", "ERR%-5m", FIELD_PERCENT, errors_of, MQ_5_MINUTES),
    SPAN("errors_15m", "ERR%-15m", FIELD_PERCENT, errors_of, MQ_15_MINUTES),
    {"held_seconds", "HELD", FIELD_DURATION, .compute = held},
    {"paused", "PAUSED", FIELD_NAME, .word = paused},
    {"sent", "SENT", FIELD_COUNT, COUNTER(sent)},
    {"delivered", "DELIVERED", FIELD_COUNT, COUNTER(delivered)},
    {"redelivered", "REDELIVERED", FIELD_COUNT, COUNTER(redelivered)},
    {"acked", "ACKED", FIELD_COUNT, COUNTER(acked)},
    {"retried", "RETRIED", FIELD_COUNT, COUNTER(retried)},
    {"failed", "FAILED", FIELD_COUNT, COUNTER(failed)},
    {"duplicates", "DUPLICATES", FIELD_COUNT, COUNTER(duplicates)},
    {"dropped", "DROPPED", FIELD_COUNT, COUNTER(dropped)},
    {"consumers", "CONSUMERS", FIELD_COUNT, COUNTER(consumers)},
    {"consumers_waiting", "WAITING", FIELD_COUNT, COUNTER(consumers_waiting)},
    {"consumers_working", "WORKING", FIELD_COUNT, COUNTER(consumers_working)},
    {"groups_waiting", "GROUPS", FIELD_COUNT, COUNTER(groups_waiting)},
    {"groups_blocked", "BLOCKED", FIELD_COUNT, COUNTER(groups_blocked)},
    {"groups_inflight", "GROUPS-INFLIGHT", FIELD_COUNT, COUNTER(groups_in_flight)},
    {"expired", "EXPIRED", FIELD_COUNT, COUNTER(expired)},
    {"died", "DIED", FIELD_COUNT, COUNTER(died)},
    {"died_rejected", "REJECTED", FIELD_COUNT, COUNTER(deaths[MQ_DEATH_REJECTED])},
    {"died_max_attempts", "MAX-ATTEMPTS", FIELD_COUNT, COUNTER(deaths[MQ_DEATH_MAX_ATTEMPTS])},
    {"died_expired", "DIED-EXPIRED", FIELD_COUNT, COUNTER(deaths[MQ_DEATH_EXPIRED])},
    {"died_corrupt", "CORRUPT", FIELD_COUNT, COUNTER(deaths[MQ_DEATH_CORRUPT])},
    {"died_overflow", "OVERFLOW", FIELD_COUNT, COUNTER(deaths[MQ_DEATH_OVERFLOW])},
    {"topic", "TOPIC", FIELD_NAME, .kind_of = SNAPSHOT_TOPIC},
    {"bindings", "BINDINGS", FIELD_COUNT, TOPIC(bindings)},
    {"published", "PUBLISHED", FIELD_COUNT, TOPIC(published)},
    {"routed", "ROUTED", FIELD_COUNT, TOPIC(routed)},
    {"unroutable", "UNROUTABLE", FIELD_COUNT, TOPIC(unroutable)},
    {"topic_duplicates", "DUPLICATES", FIELD_COUNT, TOPIC(duplicates)},
    {"transactions_open", "TX-OPEN", FIELD_COUNT, SPOOL(open)},
    {"transactions_unfinished", "TX-UNFINISHED", FIELD_COUNT, SPOOL(unfinished)},
    {0},
};

const char *field_no_such(void)
{
    static char text[1024];
    char names[sizeof text - 64] = "";
    for (const struct field *field = fields; field->name; field++)
        text_list(names, sizeof names, field->name);
    snprintf(text, sizeof text, "no such figure: there are %s", names);
    return text;
}

static bool is_named(const char *name, const char *wanted, size_t length)
{
    return strlen(name) == length && strncmp(name, wanted, length) == 0;
}

const struct field *field_find(const char *name, size_t length)
{
    static const char *const short_names[][2] = {
        {"depth", "ready"},       {"oldest", "oldest_seconds"},  {"size", "bytes"},
        {"held", "held_seconds"}, {"blocked", "groups_blocked"},
    };
    for (size_t i = 0; i < sizeof short_names / sizeof *short_names; i++)
        if (is_named(short_names[i][0], name, length))
            return field_find(short_names[i][1], strlen(short_names[i][1]));
    for (const struct field *field = fields; field->name; field++)
        if (is_named(field->name, name, length))
            return field;
    return NULL;
}

static uint64_t counter_of(const struct field *field, const struct snapshot *snapshot)
{
    uint64_t value;
    memcpy(&value, (const char *)snapshot + field->counter, sizeof value);
    return value;
}

double field_value(const struct field *field, const struct snapshot *snapshot)
{
    if (field->kind_of != snapshot->kind)
        return NAN;
    if (field->compute)
        return field->compute(snapshot, field->span);
    return counter_of(field, snapshot) == MQ_UNKNOWN ? NAN : (double)counter_of(field, snapshot);
}

/* ---- as text ----------------------------------------------------------------------- */

const char *field_word(const struct field *field, const struct snapshot *snapshot)
{
    if (field->kind_of != snapshot->kind)
        return "-";
    return field->word ? field->word(snapshot) : snapshot->queue;
}

static void human_text(const struct field *field, double value, char text[HUMAN_SIZE])
{
    switch (field->kind) {
    case FIELD_DURATION:
        human_age(value < 1e12 ? (int64_t)(value * SECOND) : INT64_MAX, text);
        break;
    case FIELD_SIZE:
        human_size((uint64_t)value, text);
        break;
    case FIELD_PERCENT:
    case FIELD_RATE:
        human_number(value, text);
        break;
    default:
        snprintf(text, HUMAN_SIZE, "%.0f", value);
    }
}

void field_text(const struct field *field, const struct snapshot *snapshot, bool human, char text[FIELD_TEXT_SIZE])
{
    if (field->kind == FIELD_NAME) {
        snprintf(text, FIELD_TEXT_SIZE, "%s", field_word(field, snapshot));
        return;
    }
    const double value = field_value(field, snapshot);
    const bool fraction = field->kind == FIELD_RATE || field->kind == FIELD_PERCENT;
    if (isnan(value))
        memcpy(text, "-", 2);
    else if (isinf(value))
        snprintf(text, FIELD_TEXT_SIZE, "%s", human ? "never" : "inf");
    else if (human)
        human_text(field, value, text);
    else if (fraction)
        snprintf(text, FIELD_TEXT_SIZE, "%.3f", value);
    else /* whole seconds, since a shell can calculate only with integers */
        snprintf(text, FIELD_TEXT_SIZE, "%" PRIu64, field->compute ? (uint64_t)value : counter_of(field, snapshot));
}

static bool parse_decimal(const char *text, double *ret_value)
{
    uint64_t millionths;
    /* A plain number is parsed as a duration without a unit, to a millionth. strtod would depend on the locale. */
    if (strspn(text, "0123456789.") != strlen(text) || !units_parse_duration(text, (int64_t *)&millionths))
        return false;
    *ret_value = (double)millionths / SECOND;
    return true;
}

bool field_parse_value(const struct field *field, const char *text, double *ret_value)
{
    int64_t duration;
    uint64_t size;
    char number[32];
    const size_t length = strlen(text);
    switch (field->kind) {
    case FIELD_NAME:
        return false;
    case FIELD_DURATION:
        if (!units_parse_duration(text, &duration))
            return false;
        *ret_value = (double)duration / SECOND;
        return true;
    case FIELD_SIZE:
        if (!units_parse_size(text, &size))
            return false;
        *ret_value = (double)size;
        return true;
    case FIELD_PERCENT:
        if (length == 0 || length >= sizeof number)
            return false;
        memcpy(number, text, length + 1);
        if (number[length - 1] == '%')
            number[length - 1] = '\0';
        return parse_decimal(number, ret_value);
    default:
        return parse_decimal(text, ret_value);
    }
}

/* ---- as JSON ----------------------------------------------------------------------- */

static json_t *field_json(const struct field *field, const struct snapshot *snapshot)
{
    if (field->kind_of != snapshot->kind)
        return json_null();
    if (field->kind == FIELD_NAME)
        return json_string(field_word(field, snapshot));
    const double value = field_value(field, snapshot);
    if (!isnan(value) && !field->compute)
        return json_integer((json_int_t)counter_of(field, snapshot));
    if (field->kind == FIELD_COUNT && isfinite(value))
        return json_integer((json_int_t)value);
    return isfinite(value) ? json_real(value) : json_null(); /* JSON has no infinity */
}

static void set(json_t *object, const struct field *field, const struct snapshot *snapshot)
{
    if (json_object_set_new(object, field->name, field_json(field, snapshot)))
        cli_must(NULL);
}

json_t *field_object(const struct snapshot *snapshot, const struct field *const *only)
{
    json_t *object = cli_must(json_object());
    if (only)
        for (; *only; only++)
            set(object, *only, snapshot);
    else
        for (const struct field *field = fields; field->name; field++)
            if (field->kind_of == snapshot->kind)
                set(object, field, snapshot);
    return object;
}
