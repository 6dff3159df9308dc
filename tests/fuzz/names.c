/* Names, buckets and receipts: what parses formats back to itself, and lies in a bucket that is one. */
#include "format/death.h"
#include "format/name.h"
#include "format/receipt.h"
#include "format/result_name.h"
#include "format/spool_name.h"
#include "format/work_name.h"
#include "fuzz.h"

static void try_name(enum mq_state state, const char *text)
{
    struct message_name name, again;
    char formatted[NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    if (!name_parse(state, text, &name))
        return;
    name_format(state, &name, formatted);
    REQUIRE(strlen(formatted) < NAME_SIZE);
    REQUIRE(name_parse(state, formatted, &again));
    REQUIRE(again.position == name.position && again.priority == name.priority && again.attempts == name.attempts);
    REQUIRE(again.expires == name.expires && again.token == name.token && strcmp(again.id, name.id) == 0);
    REQUIRE(strcmp(again.others, name.others) == 0);
    REQUIRE(state != MQ_DEAD || strcmp(again.reason, name.reason) == 0);
    name_format_bucket(state, &name, bucket);
    REQUIRE(name_is_bucket(state, bucket));
    char text_again[NAME_SIZE];
    name_format(state, &again, text_again);
    REQUIRE(strcmp(formatted, text_again) == 0);
}

static void try_receipt(const char *text)
{
    struct message_name name, again;
    char queue[MQ_QUEUE_NAME_SIZE], queue_again[MQ_QUEUE_NAME_SIZE], formatted[MQ_RECEIPT_SIZE];
    if (!receipt_parse(text, queue, &name))
        return;
    REQUIRE(name_is_queue(queue));
    receipt_format(queue, &name, formatted);
    REQUIRE(receipt_parse(formatted, queue_again, &again));
    REQUIRE(strcmp(queue, queue_again) == 0 && again.token == name.token && again.time == name.time);
}

static void try_reason(const char *text)
{
    char escaped[NAME_REASON_SIZE], reason[NAME_REASON_SIZE], again[NAME_REASON_SIZE];
    name_escape_reason(text, escaped);
    REQUIRE(strlen(escaped) < NAME_REASON_SIZE && !strpbrk(escaped, "/. \n"));
    name_unescape_reason(escaped, reason);
    REQUIRE(strncmp(reason, text, strlen(reason)) == 0);
    name_escape_reason(reason, again);
    REQUIRE(strcmp(escaped, again) == 0);
}

static void try_result(const char *text)
{
    struct result_name name, again;
    char formatted[RESULT_NAME_SIZE], formatted_again[RESULT_NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    (void)result_name_is_bucket(text);
    if (!result_name_parse(text, &name))
        return;
    result_name_format(&name, formatted);
    REQUIRE(strlen(formatted) < RESULT_NAME_SIZE);
    REQUIRE(result_name_parse(formatted, &again) && result_name_is_same(&name, &again) && again.kind == name.kind);
    result_name_format(&again, formatted_again);
    REQUIRE(strcmp(formatted, formatted_again) == 0);
    result_name_format_bucket(name.begun, bucket);
    REQUIRE(result_name_is_bucket(bucket));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), queue[MQ_QUEUE_NAME_SIZE];
    enum name_pending kind;
    for (int state = 0; state < MQ_STATES; state++) {
        try_name((enum mq_state)state, text);
        (void)name_is_bucket((enum mq_state)state, text);
    }
    try_receipt(text);
    try_reason(text);
    try_result(text);
    (void)name_is_waiter(text);
    if (name_parse_pending(text, &kind, queue))
        REQUIRE(mq_queue_name_is_valid(queue));
    free(text);
    return 0;
}
