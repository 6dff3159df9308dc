/* The names of results. */
#include "format/result_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/put.h"
#include "base/units.h"
#include "format/digits.h"

#define TIME_DIGITS 13
#define TOKEN_DIGITS 8
#define BUCKET_BITS 32
#define STATUS_MAX 255
#define SIGNAL_MAX 127
#define ERRORS ".err"

const char *mq_outcome_name(enum mq_outcome outcome)
{
    static const char *const names[MQ_OUTCOMES] = {
        [MQ_OUTCOME_RUNNING] = "running",         [MQ_OUTCOME_DONE] = "done",         [MQ_OUTCOME_FAILED] = "failed",
        [MQ_OUTCOME_REJECTED] = "rejected",       [MQ_OUTCOME_TIMED_OUT] = "timeout", [MQ_OUTCOME_STOPPED] = "stopped",
        [MQ_OUTCOME_INTERRUPTED] = "interrupted",
    };
    return names[outcome];
}

/* ---- parsing ------------------------------------------------------------------------ */

/* Each of these takes a field in front of what follows, and returns the text behind it; NULL stays NULL. */

static const char *take_text(const char *at, const char *text)
{
    const size_t length = strlen(text);
    return at && strncmp(at, text, length) == 0 ? at + length : NULL;
}

static const char *take_hex(const char *at, const char *prefix, int digits, uint64_t *ret_value)
{
    at = take_text(at, prefix);
    return at ? parse_hex(at, digits, ret_value) : NULL;
}

static const char *take_number(const char *at, const char *prefix, uint64_t most, uint64_t *ret_value)
{
    char digits[21];
    at = take_text(at, prefix);
    const size_t length = at ? strspn(at, "0123456789") : 0;
    if (length == 0 || length >= sizeof digits || (length > 1 && *at == '0'))
        return NULL;
    memcpy(digits, at, length);
    digits[length] = '\0';
    return units_parse_number(digits, most, ret_value) ? at + length : NULL;
}

static const char *take_id(const char *at, char ret_id[MQ_ID_SIZE])
{
    at = take_text(at, ".");
    const size_t length = at ? strcspn(at, ".") : 0;
    if (length == 0 || length >= MQ_ID_SIZE)
        return NULL;
    memcpy(ret_id, at, length);
    ret_id[length] = '\0';
    return id_is_valid(ret_id) ? at + length : NULL;
}

static const char *take_status(const char *at, int *ret_status)
{
    uint64_t status;
    const char *none = take_text(at, ".x-1");
    at = none ? none : take_number(at, ".x", STATUS_MAX, &status);
    *ret_status = none || !at ? -1 : (int)status;
    return at;
}

static const char *take_end(const char *at, struct result_name *name)
{
    uint64_t ended = 0, signal = 0, outcome = 0;
    at = take_hex(at, ".d", TIME_DIGITS, &ended);
    at = take_status(at, &name->exit_status);
    at = take_number(at, ".s", SIGNAL_MAX, &signal);
    at = take_number(at, ".v", MQ_OUTCOMES - 1, &outcome);
    at = take_number(at, ".o", INT64_MAX, &name->bytes[MQ_STDOUT]);
    at = take_number(at, ".e", INT64_MAX, &name->bytes[MQ_STDERR]);
    name->ended = (int64_t)ended;
    name->signal = (int)signal;
    name->outcome = (enum mq_outcome)outcome;
    name->cut = at && take_text(at, ".c");
    return name->cut ? at + 2 : at;
}

bool result_name_parse(const char *text, struct result_name *ret_name)
{
    struct result_name name = {.exit_status = -1};
    uint64_t begun = 0, attempt = 0;
    const char *at = take_hex(text, "", TIME_DIGITS, &begun);
    at = take_id(at, name.id);
    at = take_number(at, ".a", NAME_ATTEMPTS_MAX, &attempt);
    at = take_hex(at, ".k", TOKEN_DIGITS, &name.token);
    name.begun = (int64_t)begun;
    name.attempt = (uint32_t)attempt;
    name.kind = !at || !*at ? RESULT_UNFINISHED : strcmp(at, ERRORS) == 0 ? RESULT_ERRORS : RESULT_FINISHED;
    at = name.kind == RESULT_ERRORS ? at + strlen(ERRORS) : name.kind == RESULT_FINISHED ? take_end(at, &name) : at;
    if (!at || *at)
        return false;
    *ret_name = name;
    return true;
}

/* ---- formatting --------------------------------------------------------------------- */

static char *put_end(char *at, const struct result_name *name)
{
    at = put_hex(put_text(at, ".d"), (uint64_t)name->ended, TIME_DIGITS);
    at = name->exit_status < 0 ? put_text(at, ".x-1") : put_decimal(put_text(at, ".x"), (uint64_t)name->exit_status);
    at = put_decimal(put_text(at, ".s"), (uint64_t)name->signal);
    at = put_decimal(put_text(at, ".v"), name->outcome);
    at = put_decimal(put_text(at, ".o"), name->bytes[MQ_STDOUT]);
    at = put_decimal(put_text(at, ".e"), name->bytes[MQ_STDERR]);
    return name->cut ? put_text(at, ".c") : at;
}

void result_name_format(const struct result_name *name, char text[RESULT_NAME_SIZE])
{
    char *at = put_hex(text, (uint64_t)name->begun, TIME_DIGITS);
    at = put_text(put_text(at, "."), name->id);
    at = put_decimal(put_text(at, ".a"), name->attempt);
    at = put_hex(put_text(at, ".k"), name->token, TOKEN_DIGITS);
    if (name->kind == RESULT_FINISHED)
        at = put_end(at, name);
    else if (name->kind == RESULT_ERRORS)
        at = put_text(at, ERRORS);
    *at = '\0';
}

bool result_name_is_same(const struct result_name *one, const struct result_name *other)
{
    return one->begun == other->begun && one->attempt == other->attempt && one->token == other->token &&
           strcmp(one->id, other->id) == 0;
}

void result_name_format_bucket(int64_t begun, char text[NAME_BUCKET_SIZE])
{
    *put_hex(text, (uint64_t)begun >> BUCKET_BITS << BUCKET_BITS, TIME_DIGITS) = '\0';
}

bool result_name_is_bucket(const char *text)
{
    uint64_t start;
    const char *end = parse_hex(text, TIME_DIGITS, &start);
    return end && !*end && start == start >> BUCKET_BITS << BUCKET_BITS;
}

/* 13 + 1 + 64 + 2 + 9 + 2 + 8 + 2 + 13 + 2 + 3 + 2 + 3 + 2 + 1 + 2 + 19 + 2 + 19 + 2 characters, and the NUL. */
_Static_assert(MQ_ID_SIZE == 65 && RESULT_NAME_SIZE >= 172, "the longest name fits");
