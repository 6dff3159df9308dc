/* JSON input: what is taken can be sent as it is, what is refused has a reason. */
#include "message/json_read.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_record record = {0};
    mq_message *message;
    char *text = fuzz_text(data, size);
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
