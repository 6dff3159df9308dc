/* Moments as people write them: what parses is not before the epoch, and formats to a text that parses to the same. */
#include "text/moment.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), formatted[MOMENT_SIZE];
    int64_t moment, again;
    if (moment_parse_rfc3339(text, &moment)) {
        REQUIRE(moment >= 0);
        moment_format(moment, formatted);
        REQUIRE(moment_parse_rfc3339(formatted, &again) && again == moment);
    }
    if (moment_parse(text, INT64_C(1700000000000000), &moment))
        REQUIRE(moment >= 0);
    free(text);
    return 0;
}
