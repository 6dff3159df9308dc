/* JSON input: what is taken can be sent as it is, what is refused has a reason. */
#include "message/json_flat.h"
#include "message/json_read.h"
#include "message/json_text.h"

#include "fuzz.h"

static void compare_members(const struct json_members *members, const json_t *object)
{
    size_t i = 0;
    const char *name;
    json_t *value;
    REQUIRE(members->count == json_object_size(object));
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        const struct json_member *const member = &members->all[i++];
        REQUIRE(member->name_size == strlen(name) && strcmp(member->name, name) == 0);
        REQUIRE(member->type == json_typeof(value) && !member->text == !json_is_string(value));
        REQUIRE(member->size == json_string_length(value) &&
                memcmp(member->text ? member->text : "", json_is_string(value) ? json_string_value(value) : "",
                       member->size) == 0);
        REQUIRE(member->number >= json_number_value(value) && member->number <= json_number_value(value));
    }
}

/* What the fast reader takes, jansson understands in the same way. What it refuses is unchanged. */
static void compare_with_jansson(const char *text, size_t size)
{
    struct json_member room[2][4];
    struct json_members members = {.all = room[0], .room = 4}, headers = {.all = room[1], .room = 4};
    char *copy = fuzz_text((const uint8_t *)text, size);
    if (json_flat_read(copy, size, &members, &headers)) {
        json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                                    NULL);
        REQUIRE(json_is_object(object));
        compare_members(&members, object);
        compare_members(&headers, json_object_get(object, "headers"));
        json_decref(object);
    } else {
        REQUIRE(memcmp(copy, text, size) == 0);
    }
    free(copy);
}

/* What is written is what jansson would write. */
static void compare_writers(const char *text, size_t size)
{
    struct json_text written = {0};
    json_t *string = json_stringn(text, size);
    if (!string)
        return; /* it is not UTF-8 */
    json_t *object = json_pack("{s:o}", "body", string);
    for (int ascii = 0; ascii < 2; ascii++) {
        char *expected = json_dumps(object, JSON_COMPACT | (ascii ? JSON_ENSURE_ASCII : 0));
        written.is_ascii = ascii;
        json_text_begin(&written);
        json_text_bytes(&written, "body", text, size);
        REQUIRE(json_text_end(&written) == 0 && written.size == strlen(expected) + 1);
        REQUIRE(memcmp(written.data, expected, written.size - 1) == 0 && written.data[written.size - 1] == '\n');
        free(expected);
    }
    json_text_release(&written);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_record record = {0};
    mq_message *message;
    char *text = fuzz_text(data, size);
    compare_with_jansson(text, size);
    compare_writers(text, size);
    REQUIRE(mq_message_new(&message) == 0);
    if (json_to_message(text, size, message, &record)) {
        const char *name, *value;
        for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++)
            REQUIRE(mq_message_header(message, name) && !strpbrk(value, "\n\r"));
        REQUIRE(mq_message_priority(message) >= 0 && mq_message_priority(message) <= 9);
    } else {
        REQUIRE(record.problem[0]);
    }
    json_record_release(&record);
    mq_message_free(message);
    free(text);
    return 0;
}
