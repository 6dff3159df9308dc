/* Durations, sizes and numbers: what parses formats to a text that parses to the same. */
#include "base/units.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size), formatted[UNITS_TEXT_SIZE];
    int64_t duration, duration_again;
    uint64_t bytes, bytes_again, number;
    if (units_parse_duration(text, &duration)) {
        REQUIRE(duration >= 0);
        units_format_duration(duration, formatted);
        REQUIRE(units_parse_duration(formatted, &duration_again) && duration_again == duration);
    }
    if (units_parse_size(text, &bytes)) {
        units_format_size(bytes, formatted);
        REQUIRE(units_parse_size(formatted, &bytes_again) && bytes_again == bytes);
    }
    if (units_parse_number(text, 1000, &number))
        REQUIRE(number <= 1000);
    free(text);
    return 0;
}
