/* Bindings: what is read is written as it was, and matched without looking past its end; what is not is explained. */
#include "route/bindings.h"

#include <errno.h>

#include "fuzz.h"
#include "route/pattern.h"

static void match(const struct bindings *bindings, const char *key)
{
    mq_message *message;
    REQUIRE(mq_message_new(&message) == 0);
    for (size_t i = 0; i < bindings->count; i++) {
        const struct binding *binding = &bindings->list[i];
        const bool matches = binding_matches(binding, key, message);
        REQUIRE(matches || binding->kind != BINDING_EVERYTHING);
        REQUIRE(!matches || binding->kind == BINDING_EVERYTHING ||
                binding->kind == BINDING_KEY); /* it has no headers */
        if (binding->kind == BINDING_KEY)
            REQUIRE(pattern_is_valid(binding->terms));
    }
    mq_message_free(message);
}

/* A text of its own says the same. */
static void read_again(const struct bindings *bindings)
{
    struct bindings again = {0};
    char problem[BINDINGS_PROBLEM_SIZE], *text, *text_again;
    size_t size, size_again;
    REQUIRE(bindings_format(bindings, &text, &size) == 0);
    REQUIRE(bindings_parse(&again, text, size, problem) == 0);
    REQUIRE(again.count == bindings->count);
    REQUIRE(bindings_format(&again, &text_again, &size_again) == 0);
    REQUIRE(size == size_again && memcmp(text, text_again, size) == 0);
    bindings_release(&again);
    free(text);
    free(text_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE] = "", *text = fuzz_text(data, size);
    const int error = bindings_parse(&bindings, text, size, problem);
    REQUIRE(error == 0 || error == -EBADMSG);
    REQUIRE(error == 0 || (strncmp(problem, "line ", 5) == 0 && !strchr(problem, '\n')));
    REQUIRE(error == 0 || bindings.count == 0);
    match(&bindings, text); /* any text is a key here */
    read_again(&bindings);
    bindings_release(&bindings);
    free(text);
    return 0;
}
