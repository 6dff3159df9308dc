/* Durations and sizes: what is taken, what is refused, and that text written reads back. */
#include "units.h"

#include "unit.h"

static void expect_duration(const char *text, int64_t wanted)
{
    int64_t value = -1;
    EXPECT(units_parse_duration(text, &value) == (wanted >= 0));
    if (value != wanted)
        fprintf(stderr, "duration %s: %" PRId64 "\n", text, value);
    EXPECT(value == wanted);
}

static void durations(void)
{
    expect_duration("500ms", 500000);
    expect_duration("30s", 30000000);
    expect_duration("30", 30000000);
    expect_duration("0.5s", 500000);
    expect_duration(".5s", 500000);
    expect_duration(".5", 500000);
    expect_duration("1.5h", 5400000000);
    expect_duration("7d", 7 * INT64_C(86400000000));
    expect_duration("0", 0);
    static const char *const refused[] = {"",           "-1s",   "+1s",  "1x",    "s",
                                          "1 s",        " 1s",   "1s ",  "1.s",   ".s",
                                          "1e3",        "0x10s", "ms",   "1..5s", "99999999999999999999s",
                                          "106751992d", "nan",   "1m30s"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        expect_duration(refused[i], -1);
}

static void sizes(void)
{
    uint64_t value = 7;
    EXPECT(units_parse_size("64K", &value) && value == 65536);
    EXPECT(units_parse_size("2G", &value) && value == UINT64_C(2) << 30);
    EXPECT(units_parse_size(".5K", &value) && value == 512);
    EXPECT(units_parse_size("1.5M", &value) && value == 1536 << 10);
    EXPECT(units_parse_size("0.99999999999999999999T", &value) && value == (UINT64_C(1) << 40) - 1);
    EXPECT(units_parse_size("0", &value) && value == 0);
    value = 7;
    EXPECT(!units_parse_size("64k ", &value) && !units_parse_size("-1", &value) &&
           !units_parse_size("9999999999G", &value));
    EXPECT(value == 7);
}

static void round_trips(void)
{
    static const int64_t durations[] = {0, 1, 999, 1000, 1500, 1000000, 90000000, 3600000000, 86400000000, 86400000001};
    for (size_t i = 0; i < sizeof durations / sizeof *durations; i++) {
        char text[UNITS_TEXT_SIZE];
        int64_t back = -1;
        units_format_duration(durations[i], text);
        EXPECT(units_parse_duration(text, &back) && back == durations[i]);
    }
    static const uint64_t sizes[] = {0, 1, 1023, 1024, 262144, 1536, UINT64_C(3) << 40};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char text[UNITS_TEXT_SIZE];
        uint64_t back = 7;
        units_format_size(sizes[i], text);
        EXPECT(units_parse_size(text, &back) && back == sizes[i]);
    }
}

int main(void)
{
    durations();
    sizes();
    round_trips();
    return unit_failures != 0;
}
