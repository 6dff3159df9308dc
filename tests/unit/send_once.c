/* SHA-256 by the examples of FIPS 180-4, ids made of content, and the names of slots, marks and drafts. */
#include <fcntl.h>
#include <unistd.h>

#include "base/sha256.h"
#include "format/content_id.h"
#include "format/sent_name.h"
#include "unit.h"

static void expect_digest(const char *data, size_t size, size_t times, size_t step, const char *wanted)
{
    struct sha256 hash = sha256_begin();
    char text[SHA256_TEXT_SIZE];
    for (size_t i = 0; i < times; i++)
        for (size_t at = 0; at < size; at += step)
            sha256_add(&hash, data + at, size - at < step ? size - at : step);
    sha256_end(&hash, text);
    EXPECT_TEXT(text, wanted);
}

static void digests_are_those_of_the_standard(void)
{
    static char a[1000];
    memset(a, 'a', sizeof a);
    for (size_t step = 1; step < 200; step += 9) {
        expect_digest("abc", 3, 1, step, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        expect_digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, 1, step,
                      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
        expect_digest("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
                      "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
                      112, 1, step, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
    }
    expect_digest("", 0, 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    expect_digest(a, sizeof a, 1000, 1000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void ids_do_not_depend_on_the_order_of_headers(void)
{
    mq_message *one, *other;
    char id[MQ_ID_SIZE], other_id[MQ_ID_SIZE];
    EXPECT(mq_message_new(&one) == 0 && mq_message_new(&other) == 0);
    EXPECT(mq_message_set_header(one, "Type", "x") == 0 && mq_message_set_header(one, "aA", "y") == 0);
    EXPECT(mq_message_set_header(other, "AA", "y") == 0 && mq_message_set_header(other, "type", "x") == 0);
    EXPECT(content_id_make(one, -1, id) == 0 && content_id_make(other, -1, other_id) == 0);
    EXPECT_TEXT(other_id, id);
    EXPECT(mq_message_set_priority(other, 9) == 0 && content_id_make(other, -1, other_id) == 0);
    EXPECT_TEXT(other_id, id);
    mq_message_set_body(other, "", 1);
    EXPECT(content_id_make(other, -1, other_id) == 0 && strcmp(id, other_id) != 0);
    mq_message_free(one);
    mq_message_free(other);
}

static void what_a_mark_says_is_read_as_it_was_written(void)
{
    struct message_name draft = {.count = 1, .time = 77, .priority = 9, .position = UINT64_MAX, .expires = 78}, read;
    char says[SENT_NAME_DRAFT_SIZE], name[NAME_SIZE], again[NAME_SIZE], made_void[NAME_SIZE];
    enum sent_kind kind;
    int64_t number;
    memset(draft.id, 'x', MQ_ID_SIZE - 1);
    sent_name_format_says(&draft, says);
    EXPECT_TEXT(says, "000000000004d.0ffffffffffffffff.x000000000004e");
    EXPECT(sent_name_parse_says(says, draft.id, &read));
    sent_name_format_draft(SENT_ONCE, 5, &draft, name);
    sent_name_format_draft(SENT_ONCE, 5, &read, again);
    EXPECT_TEXT(again, name);
    sent_name_void(name, made_void);
    EXPECT(sent_name_parse_draft(made_void, &kind, &number) && kind == SENT_VOID && number == 5);
    static const char *const wrong[] = {"",
                                        "000000000004d",
                                        "000000000004d.0fffffffffffffff",
                                        "000000000004d.0ffffffffffffffff.a1",
                                        "x/../",
                                        "000000000004d.0ffffffffffffffff.n2",
                                        "000000000004d.0ffffffffffffffff.x000000000004e.rx",
                                        "000000000004d.0ffffffffffffffff.q",
                                        ".",
                                        "..",
                                        "000000000004d.0ffffffffffffffff.x000000000004e.q1234567890"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!sent_name_parse_says(wrong[i], "id", &read));
    uint64_t random;
    sent_name_format_says_several(0xabc, says);
    EXPECT_TEXT(says, "0000000000000abc");
    EXPECT(sent_name_parse_says_several(says, &random) && random == 0xabc);
    EXPECT(!sent_name_parse_says(says, "id", &read) && !sent_name_parse_says_several("0000000000000abc.", &random));
    sent_name_format_draft_of_several(SENT_ONCE, 5, random, name);
    EXPECT(sent_name_parse_draft(name, &kind, &number) && kind == SENT_ONCE && number == 5);
}

static void names_of_slots_and_marks_are_strict(void)
{
    struct sent_slot slot = {.number = 1, .begin = 2, .until = CLOCK_MAX}, read;
    char text[SENT_NAME_SLOT_SIZE], mark[SENT_NAME_MARK_SIZE], id[MQ_ID_SIZE], bucket[NAME_BUCKET_SIZE];
    unsigned directory;
    enum sent_kind kind;
    int64_t number;
    sent_name_format_slot(&slot, text);
    EXPECT_TEXT(text, "0000000000001-0000000000002-fffffffffffff");
    EXPECT(sent_name_parse_slot(text, &read) && read.number == 1 && read.begin == 2 && read.until == CLOCK_MAX);
    EXPECT(!read.is_spread && sent_name_parse_slot("0000000000001-0000000000002-fffffffffffff-16", &read));
    slot.is_spread = read.is_spread;
    sent_name_format_slot(&slot, text);
    EXPECT(read.is_spread && strcmp(text, "0000000000001-0000000000002-fffffffffffff-16") == 0);
    EXPECT(!sent_name_parse_slot("0000000000001-0000000000002-0000000000003-1", &read));
    sent_name_format_number(5, SENT_NAME_ONE, bucket);
    EXPECT(sent_name_parse_number(bucket, &number, &directory) && number == 5 && directory == SENT_NAME_ONE);
    sent_name_format_number(5, 15, bucket);
    EXPECT_TEXT(bucket, "0000000000005-f");
    EXPECT(sent_name_parse_number(bucket, &number, &directory) && number == 5 && directory == 15);
    EXPECT(!sent_name_parse_number("0000000000005-", &number, &directory) &&
           !sent_name_parse_number("0000000000005-ff", &number, &directory));
    EXPECT(sent_name_directory("id~2") == sent_name_directory("id") && sent_name_directory("id") < SENT_NAME_SPREAD);
    EXPECT(!sent_name_parse_slot("0000000000001-0000000000002", &read));
    EXPECT(!sent_name_parse_slot("0000000000001-0000000000002-0000000000003x", &read));
    sent_name_format_mark("id", 999, mark);
    EXPECT_TEXT(mark, "id~999");
    EXPECT(sent_name_is_mark(mark, id) && strcmp(id, "id") == 0);
    sent_name_format_mark("id", 1, mark);
    EXPECT_TEXT(mark, "id");
    EXPECT(!sent_name_is_mark("id~1", id) && !sent_name_is_mark("id~02", id) && !sent_name_is_mark("~2", id));
    EXPECT(!sent_name_is_mark("id~1000", id) && !sent_name_is_mark("a.b", id));
    EXPECT(!sent_name_parse_draft("once-", &kind, &number) &&
           !sent_name_parse_draft("once-0000000000001", &kind, &number));
}

int main(void)
{
    digests_are_those_of_the_standard();
    ids_do_not_depend_on_the_order_of_headers();
    what_a_mark_says_is_read_as_it_was_written();
    names_of_slots_and_marks_are_strict();
    return unit_failures > 0;
}
