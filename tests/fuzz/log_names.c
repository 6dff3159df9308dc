/* Names and heads of logs and groups: what parses formats to the same, and a head's count is within bounds. */
#include "format/group_name.h"
#include "format/log_entry.h"
#include "format/log_name.h"
#include "format/name.h"
#include "fuzz.h"

static void log_names(const char *text)
{
    char again[LOG_NAME_SIZE];
    uint64_t number;
    if (log_name_parse(text, &number)) {
        log_name_format(number, again);
        REQUIRE(strcmp(text, again) == 0 && number <= LOG_OFFSET_MAX);
    }
    if (log_name_parse_bucket(text, &number)) {
        log_name_format_bucket(number, again);
        REQUIRE(strcmp(text, again) == 0 && number <= log_bucket_of(LOG_OFFSET_MAX));
    }
    if (log_name_parse_removed(text, &number)) {
        log_name_format_removed(number, 0, again);
        REQUIRE(strlen(text) == strlen(again) && strncmp(text, again, strcspn(again, ".") + 1) == 0);
    }
}

static void group_names(const char *text)
{
    char again[GROUP_NAME_SIZE];
    struct group_place place;
    if (group_name_parse(text, &place)) {
        group_name_format(&place, again);
        REQUIRE(strcmp(text, again) == 0);
        REQUIRE(!place.is_take || (place.entry <= place.first && place.first < place.next));
    }
    if (group_name_parse_take(text, &place)) {
        group_name_format_take(&place, again);
        REQUIRE(strcmp(text, again) == 0 && place.is_take);
        REQUIRE(place.entry <= place.first && place.first < place.next);
    }
}

/* More of the entry than parsing wants to see changes nothing but whether it is a gap, which has nothing behind it. */
static void heads(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    const struct log_entry_head head = log_entry_parse(text, size);
    REQUIRE((head.kind == LOG_ENTRY_CORRUPT) == (head.count == 0));
    REQUIRE(head.kind != LOG_ENTRY_MESSAGES || head.count <= NAME_COUNT_MAX);
    REQUIRE(head.count <= LOG_OFFSET_MAX);
    REQUIRE(log_entry_skip_count(text, size) <= size);
    if (size > LOG_ENTRY_HEAD) {
        const struct log_entry_head seen = log_entry_parse(text, LOG_ENTRY_HEAD);
        REQUIRE(seen.kind == head.kind && seen.count == head.count);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    log_names(text);
    group_names(text);
    heads(data, size);
    free(text);
    return 0;
}
