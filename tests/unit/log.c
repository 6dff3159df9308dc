/* What the bytes and names of a log mean. */
#include <string.h>

#include "format/batch.h"
#include "format/log_entry.h"
#include "format/log_name.h"
#include "unit.h"

static void test_names(void)
{
    char name[LOG_NAME_SIZE];
    uint64_t number = 7;
    static const char *const wrong[] = {"",
                                        "0",
                                        "000000000000000",
                                        "00000000000000000",
                                        "000000000000000G",
                                        "000000000000000A",
                                        "8000000000000000",
                                        "0000000000000000 ",
                                        "-000000000000001"};
    log_name_format(0x123456789abcdefULL, name);
    EXPECT(strcmp(name, "0123456789abcdef") == 0);
    EXPECT(log_name_parse(name, &number) && number == 0x123456789abcdefULL);
    log_name_format_bucket(log_bucket_of(number), name);
    EXPECT(strcmp(name, "0123456789abc") == 0);
    EXPECT(log_name_parse_bucket(name, &number) && number == 0x123456789abcULL);
    log_name_format_removed(5, 0xfedcba9876543210ULL, name);
    EXPECT(strcmp(name, "0000000000005.fedcba9876543210") == 0);
    EXPECT(log_name_parse_removed(name, &number) && number == 5);
    number = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!log_name_parse(wrong[i], &number) && !log_name_parse_bucket(wrong[i], &number) &&
               !log_name_parse_removed(wrong[i], &number) && number == 7);
    EXPECT(log_name_parse("7fffffffffffffff", &number) && number == LOG_OFFSET_MAX);
}

static struct log_entry_head parse(const char *text)
{
    return log_entry_parse(text, strlen(text));
}

static void expect_head(const char *text, enum log_entry_kind kind, uint64_t count)
{
    const struct log_entry_head head = parse(text);
    EXPECT(head.kind == kind && head.count == count);
}

static void test_heads(void)
{
    char text[LOG_ENTRY_HEAD], *end = log_entry_put_count(text);
    EXPECT(end - text == LOG_ENTRY_COUNT_LINE);
    log_entry_set_count(text, 3);
    EXPECT(memcmp(text, "Mq-Count:    3\n", LOG_ENTRY_COUNT_LINE) == 0);
    log_entry_set_count(text, NAME_COUNT_MAX);
    EXPECT(memcmp(text, "Mq-Count: 4096\n", LOG_ENTRY_COUNT_LINE) == 0);
    EXPECT(log_entry_skip_count(text, LOG_ENTRY_COUNT_LINE) == LOG_ENTRY_COUNT_LINE);
    EXPECT(log_entry_skip_count(text, LOG_ENTRY_COUNT_LINE - 1) == 0);
    EXPECT(log_entry_skip_count("Id: x\n", 6) == 0);

    expect_head("Id: x\n\n", LOG_ENTRY_MESSAGES, 1);
    expect_head("Mq-Count:    2\nId: x\n", LOG_ENTRY_MESSAGES, 2);
    expect_head("Mq-Count: 4096\nMq-Separator: newline\n", LOG_ENTRY_MESSAGES, 4096);
    expect_head("Mq-Count: 1\n\n", LOG_ENTRY_GAP, 1);
    expect_head("Mq-Count: 1000000\n\n", LOG_ENTRY_GAP, 1000000);
    static const char *const corrupt[] = {"",
                                          "Id",
                                          "noise",
                                          "Mq-Count: \n\n",
                                          "Mq-Count: 0\n\n",
                                          "Mq-Count: 3",
                                          "Mq-Count: -3\n\n",
                                          "Mq-Count: 3x\n\n",
                                          "Mq-Count: 4097\nId: x\n",
                                          "Mq-Count: 18446744073709551617\n\n",
                                          "Mq-Count: 99999999999999999999999999\n\n"};
    for (size_t i = 0; i < sizeof corrupt / sizeof *corrupt; i++)
        expect_head(corrupt[i], LOG_ENTRY_CORRUPT, 0);
}

static void test_gaps(void)
{
    char text[LOG_ENTRY_HEAD];
    const uint64_t counts[] = {1, 2, 4096, 1000000000, LOG_OFFSET_MAX / 16};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const size_t size = log_entry_put_gap(counts[i], text);
        const struct log_entry_head head = log_entry_parse(text, size);
        EXPECT(head.kind == LOG_ENTRY_GAP && head.count == counts[i]);
    }
}

int main(void)
{
    test_names();
    test_heads();
    test_gaps();
    return unit_failures != 0;
}
