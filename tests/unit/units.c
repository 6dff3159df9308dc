/* Durations and sizes: what is taken, what is refused, and that text written reads back. */
#include "base/units.h"

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
    expect_duration("4503599627370495us", UNITS_DURATION_MAX);
    expect_duration("4503599627.370495s", UNITS_DURATION_MAX);
    expect_duration("52124d", 52124 * INT64_C(86400000000));
    expect_duration("000000000000000000000000000030s", 30000000);
    static const char *const refused[] = {"",
                                          "-1s",
                                          "+1s",
                                          "1x",
                                          "s",
                                          "1 s",
                                          " 1s",
                                          "1s ",
                                          "1.s",
                                          ".s",
                                          "1e3",
                                          "0x10s",
                                          "ms",
                                          "1..5s",
                                          "99999999999999999999s",
                                          "106751992d",
                                          "nan",
                                          "1m30s",
                                          "4503599627370496us",
                                          "9223372036854775807us",
                                          "9223372036854775808us",
                                          "18446744073709551615us",
                                          "18446744073709551616us",
                                          "18446744073709551617s",
                                          "1844674407370955162",
                                          "52125d",
                                          "4503599627.370496s"};
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

static void limits_of_sizes(void)
{
    static const char *const refused[] = {"9223372036854775808",  "18446744073709551615", "18446744073709551616",
                                          "18446744073709551617", "99999999999999999999", "8388608T",
                                          "9007199254740992K"};
    uint64_t value = 0;
    EXPECT(units_parse_size("9223372036854775807", &value) && value == INT64_MAX);
    EXPECT(units_parse_size("8388607T", &value) && value == UINT64_C(8388607) << 40);
    value = 7;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!EXPECT(!units_parse_size(refused[i], &value) && value == 7))
            fprintf(stderr, "size %s: %" PRIu64 "\n", refused[i], value);
}

static void limits_of_numbers(void)
{
    uint64_t value = 0;
    EXPECT(units_parse_number("18446744073709551615", UINT64_MAX, &value) && value == UINT64_MAX);
    EXPECT(units_parse_number("1844674407370955161", UINT64_MAX, &value) && value == UINT64_MAX / 10);
    EXPECT(units_parse_number("9", 9, &value) && value == 9);
    value = 7;
    EXPECT(!units_parse_number("18446744073709551616", UINT64_MAX, &value));
    EXPECT(!units_parse_number("18446744073709551625", UINT64_MAX, &value));
    EXPECT(!units_parse_number("184467440737095516150", UINT64_MAX, &value));
    EXPECT(!units_parse_number("10", 9, &value) && !units_parse_number("", 9, &value));
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
    limits_of_sizes();
    limits_of_numbers();
    round_trips();
    return unit_failures != 0;
}
