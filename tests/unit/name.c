/* The grammar of names: what is a name, that it reads back, and that names sort in order of delivery. */
#include "format/name.h"

#include "format/death.h"
#include "format/lane_name.h"
#include "format/receipt.h"
#include "format/result_name.h"
#include "format/spool_name.h"
#include "format/work_name.h"
#include "unit.h"

#define POSITION "500063f2a1b3c4001"

static void ready_names(void)
{
    struct message_name name;
    char text[NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    EXPECT(name_parse(MQ_READY, POSITION ".abc.a2.x0063f2a1b3c4d", &name));
    EXPECT(name.priority == 4 && name.position == 0x00063f2a1b3c4001 && name.attempts == 2);
    EXPECT(name.expires == 0x0063f2a1b3c4d);
    EXPECT_TEXT(name.id, "abc");
    name_format(MQ_READY, &name, text);
    EXPECT_TEXT(text, POSITION ".abc.a2.x0063f2a1b3c4d");
    name_format_bucket(MQ_READY, &name, bucket);
    EXPECT_TEXT(bucket, "5-00063f2a1b3c4");
}

static void unknown_fields_are_kept(void)
{
    struct message_name name;
    char text[NAME_SIZE];
    EXPECT(name_parse(MQ_READY, POSITION ".abc.k7.a1.zhello", &name));
    name.attempts = 3;
    name_format(MQ_READY, &name, text);
    EXPECT_TEXT(text, POSITION ".abc.a3.k7.zhello");
}

static void a_part_of_a_file(void)
{
    struct message_name name;
    char text[NAME_SIZE];
    EXPECT(name_parse(MQ_READY, POSITION ".abc.a1", &name));
    EXPECT(name.count == 1 && name.offset == 0 && name.length == 0 && !name.split);
    EXPECT(name_parse(MQ_READY, POSITION ".abc.a1.n256.o1234567.l89.s0-0123456789ab", &name));
    EXPECT(name.count == 256 && name.offset == 1234567 && name.length == 89 && name.split && name.split_offset == 0);
    EXPECT(name.split_mark == 0x0123456789ab);
    name_format(MQ_READY, &name, text);
    EXPECT_TEXT(text, POSITION ".abc.a1.n256.o1234567.l89.s0-0123456789ab");
    name_format_split(&name, text);
    EXPECT_TEXT(text, "split-" POSITION ".abc.0123456789ab");
    EXPECT(name_is_split(text) && !name_is_split(POSITION ".abc"));
}

static void what_is_no_name(void)
{
    static const char *const refused[] = {
        "",
        "README",
        POSITION,
        POSITION ".",
        POSITION ".abc.",
        POSITION ".abc.a",
        POSITION ".abc.ax",
        POSITION ".abc.A1",
        POSITION ".a b.a1",
        POSITION ".abc.a1.x12",
        POSITION ".abc.a1.s0",
        POSITION ".abc.a1.s0-0123456789a",
        POSITION ".abc.a1.x0063F2A1B3C4D",
        POSITION ".abc.a1.c0123456789abcdef",
        POSITION ".abc.a1.n1",
        POSITION ".abc.a1.n0",
        POSITION ".abc.a1.n4097",
        POSITION ".abc.a1.n",
        POSITION ".abc.a1.o0",
        POSITION ".abc.a1.o12345678",
        POSITION ".abc.a1.l0",
        POSITION ".abc.a1.s",
        "x00063f2a1b3c4001.abc.a1",
        "50063f2a1b3c4001.abc.a1",
        POSITION ".0123456789012345678901234567890123456789012345678901234567890123x.a1",
        POSITION ".abc.a1.zaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct message_name name;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (!EXPECT(!name_parse(MQ_READY, refused[i], &name)))
            fprintf(stderr, "taken: %s\n", refused[i]);
    EXPECT(!name_parse(MQ_INFLIGHT, "0063f2a1b3c4d." POSITION ".abc.a1", &name)); /* a claim without token */
    EXPECT(!name_parse(MQ_DELAYED, POSITION ".abc.a1", &name));
}

static void claims_say_when_and_whose(void)
{
    static const char claim[] = "0063f2a1b3c4d." POSITION ".abc.a1.b0063f2a1b3000.p4711-1b3c4d5e.c0123456789abcdef";
    struct message_name name;
    char text[NAME_SIZE], mark[NAME_HOST_SIZE];
    EXPECT(name_parse(MQ_INFLIGHT, claim, &name));
    EXPECT(name.begun == 0x0063f2a1b3000 && name.owner.process == 4711);
    EXPECT_TEXT(name.owner.host, "1b3c4d5e");
    name_format(MQ_INFLIGHT, &name, text);
    EXPECT_TEXT(text, claim);
    name_format(MQ_READY, &name, text); /* that ends with the claim */
    EXPECT_TEXT(text, POSITION ".abc.a1");
    EXPECT(!name_parse(MQ_INFLIGHT, "0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcdef.p4711-1b3c4d5e6", &name));
    EXPECT(!name_parse(MQ_INFLIGHT, "0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcdef.p-1b3c4d5e", &name));
    name_mark_host("a.b/c", mark);
    EXPECT_TEXT(mark, "a_b_c");
    name_mark_host("1b3c4d5e6f708192a3b4c5d6e7f80912", mark);
    EXPECT_TEXT(mark, "1b3c4d5e");
}

static void longest_name_fits(void)
{
    struct message_name name = {
        .time = NAME_TIME_MAX, .position = UINT64_MAX, .attempts = 999999999, .expires = NAME_TIME_MAX};
    char text[NAME_SIZE];
    memset(name.id, 'i', sizeof name.id - 1);
    memset(name.reason, 'r', sizeof name.reason - 1);
    memset(name.others, 'k', sizeof name.others - 1);
    name.others[0] = '.';
    name.offset = name.length = NAME_BYTES_MAX;
    name_format(MQ_DEAD, &name, text);
    EXPECT(strlen(text) < NAME_SIZE);
    struct message_name back;
    EXPECT(name_parse(MQ_DEAD, text, &back));
    EXPECT(back.time == name.time && back.attempts == name.attempts && back.position == name.position);
    EXPECT_TEXT(back.reason, name.reason);
}

static void names_sort_in_order_of_delivery(void)
{
    const struct message_name order[] = {
        {.priority = 9, .position = name_position(200, 0)}, {.priority = 4, .position = name_position(100, 0)},
        {.priority = 4, .position = name_position(100, 1)}, {.priority = 4, .position = name_position(100, 255)},
        {.priority = 4, .position = name_position(101, 0)}, {.priority = 0, .position = name_position(1, 0)},
    };
    char before[NAME_SIZE] = "", text[NAME_SIZE];
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        struct message_name name = order[i];
        memcpy(name.id, i % 2 ? "aaa" : "zzz", 4);
        name_format(MQ_READY, &name, text);
        EXPECT(strcmp(before, text) < 0);
        memcpy(before, text, sizeof before);
    }
}

static void reasons(void)
{
    char escaped[NAME_REASON_SIZE], plain[NAME_REASON_SIZE];
    name_escape_reason("no such user: a/b. 100%\n", escaped);
    EXPECT(strpbrk(escaped, " ./\n") == NULL);
    name_unescape_reason(escaped, plain);
    EXPECT_TEXT(plain, "no such user: a/b. 100%\n");

    /* Cut at a character, never within one or within an escape. */
    char text[200];
    memset(text, 'x', sizeof text);
    memcpy(text + 79, "\xC3\xA9tat", 6);
    text[199] = '\0';
    name_escape_reason(text, escaped);
    EXPECT(strlen(escaped) == 79);
    memcpy(text + 78, "....", 4);
    name_escape_reason(text, escaped);
    EXPECT(strlen(escaped) == 78);
}

static void receipts(void)
{
    struct message_name name;
    char queue[MQ_QUEUE_NAME_SIZE], receipt[MQ_RECEIPT_SIZE];
    static const char good[] = "jobs/0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcdef";
    EXPECT(receipt_parse(good, queue, &name));
    EXPECT_TEXT(queue, "jobs");
    EXPECT(name.token == 0x0123456789abcdef);
    receipt_format(queue, &name, receipt);
    EXPECT_TEXT(receipt, good);
    static const char *const refused[] = {"",
                                          "jobs",
                                          "jobs/",
                                          "/etc/passwd",
                                          "../jobs/0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcdef",
                                          "jobs/../0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcdef",
                                          "jobs/0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcde",
                                          "jobs/0063f2a1b3c4d." POSITION ".abc.a1",
                                          "jobs/0063f2a1b3c4d." POSITION ".abc.a1.c0123456789abcdef\n"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        EXPECT(!receipt_parse(refused[i], queue, &name));
}

static void queue_names(void)
{
    char longest[130];
    memset(longest, 'q', sizeof longest);
    longest[128] = '\0';
    EXPECT(mq_queue_name_is_valid("jobs") && mq_queue_name_is_valid("_a.b-c9") && mq_queue_name_is_valid(longest));
    longest[128] = 'q';
    longest[129] = '\0';
    static const char *const refused[] = {"", ".", "..", ".jobs", "-jobs", "a/b", "a b", "jobs\n", "caf\xC3\xA9"};
    EXPECT(!mq_queue_name_is_valid(longest));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        EXPECT(!mq_queue_name_is_valid(refused[i]));
}

static void pending_names(void)
{
    char text[NAME_PENDING_SIZE], queue[MQ_QUEUE_NAME_SIZE];
    enum name_pending kind;
    name_format_pending(NAME_HELD, "my-jobs", 7, text);
    EXPECT(!mq_queue_name_is_valid(text));
    EXPECT(name_parse_pending(text, &kind, queue) && kind == NAME_HELD);
    EXPECT_TEXT(queue, "my-jobs");
    EXPECT(!name_parse_pending(".held-", &kind, queue) && !name_parse_pending("jobs", &kind, queue));
}

static void reply_queues(void)
{
    char text[NAME_REPLY_SIZE];
    name_format_reply(0x0123456789abcdef, text);
    EXPECT_TEXT(text, "_reply-0123456789abcdef");
    EXPECT(name_is_reply(text) && mq_queue_name_is_reply(text) && mq_queue_name_is_valid(text));
    EXPECT(!name_is_reply("_reply-") && !name_is_reply("_reply-0123456789abcdeg") && !name_is_reply("jobs"));
    EXPECT(!name_is_reply("_reply-0123456789abcdef0") && !mq_queue_name_is_reply("jobs"));
}

static void done_buckets(void)
{
    char text[NAME_BUCKET_SIZE];
    int64_t start;
    EXPECT(name_done_width(1) == 1 && name_done_width(1000) == 1024 && name_done_width(1024) == 1024);
    EXPECT(name_done_width(INT64_MAX) > NAME_TIME_MAX / 2);
    name_format_done_bucket(0x12345678, 1000, text);
    EXPECT_TEXT(text, "0000012345400");
    EXPECT(name_parse_done_bucket(text, &start) && start == 0x12345400);
    EXPECT(!name_parse_done_bucket("12345400", &start));
}

static void retried_names(void)
{
    struct message_name name;
    char text[NAME_SIZE];
    EXPECT(name_parse(MQ_READY, POSITION ".abc.a0.zx", &name));
    EXPECT(!name_may_have_failed(MQ_READY, &name));
    EXPECT(name_mark_retried(&name) && name_mark_retried(&name));
    name_format(MQ_READY, &name, text);
    EXPECT_TEXT(text, POSITION ".abc.a0.zx.f");
    EXPECT(name_parse(MQ_READY, text, &name) && name_may_have_failed(MQ_READY, &name));
    EXPECT(name_parse(MQ_READY, POSITION ".abc.a1", &name) && name_may_have_failed(MQ_READY, &name));
    EXPECT(!name_may_have_failed(MQ_INFLIGHT, &name)); /* its only attempt is this one */
    EXPECT(name_parse(MQ_READY, POSITION ".abc.a0.zx.foo", &name) && !name_may_have_failed(MQ_READY, &name));
}

static void states_and_deaths(void)
{
    static const char *const states[MQ_STATES] = {"ready", "delayed", "inflight", "dead"};
    static const char *const deaths[MQ_DEATHS] = {"rejected", "max-attempts", "expired", "corrupt", "overflow"};
    for (int state = 0; state < MQ_STATES; state++)
        EXPECT_TEXT(mq_state_name((enum mq_state)state), states[state]);
    for (int death = 0; death < MQ_DEATHS; death++) {
        EXPECT_TEXT(mq_death_name((enum mq_death)death), deaths[death]);
        EXPECT(death_cause(deaths[death]) == (enum mq_death)death);
    }
}

static void results(void)
{
    char text[RESULT_NAME_SIZE], again[RESULT_NAME_SIZE], bucket[NAME_BUCKET_SIZE];
    struct result_name name = {.kind = RESULT_FINISHED,
                               .begun = NAME_TIME_MAX,
                               .attempt = NAME_ATTEMPTS_MAX,
                               .token = 0xffffffff,
                               .ended = NAME_TIME_MAX,
                               .exit_status = -1,
                               .signal = 127,
                               .outcome = MQ_OUTCOME_STOPPED,
                               .bytes = {INT64_MAX, INT64_MAX},
                               .cut = true};
    struct result_name parsed;
    static const char *const wrong[] = {"",
                                        "6612b28d271a8.x.a1.k6068f94",
                                        "6612b28d271a8.x.a01.k6068f941",
                                        "6612b28d271a8..a1.k6068f941",
                                        "6612b28d271a8.x.a1.k6068f941.",
                                        "6612b28d271a8.x.a1.k6068f941.err.",
                                        "6612b28d271a8.x.a1.k6068f941.d6612b28d867df.x256.s0.v1.o43.e4",
                                        "6612b28d271a8.x.a1.k6068f941.d6612b28d867df.x0.s0.v7.o43.e4",
                                        "6612b28d271a8.x.a1.k6068f941.d6612b28d867df.x0.s0.v1.o43.e4.cc"};
    memset(name.id, 'i', MQ_ID_SIZE - 1);
    result_name_format(&name, text);
    EXPECT(strlen(text) < RESULT_NAME_SIZE);
    EXPECT(result_name_parse(text, &parsed) && result_name_is_same(&name, &parsed) && parsed.cut &&
           parsed.signal == 127);
    result_name_format(&parsed, again);
    EXPECT_TEXT(again, text);
    name.kind = RESULT_ERRORS;
    result_name_format(&name, again);
    EXPECT(result_name_parse(again, &parsed) && parsed.kind == RESULT_ERRORS);
    EXPECT(strcmp(again, text) > 0); /* standard error is listed behind standard output */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!result_name_parse(wrong[i], &parsed));
    result_name_format_bucket(0x6612b28d271a8, bucket);
    EXPECT_TEXT(bucket, "6612b00000000");
    EXPECT(result_name_is_bucket(bucket) && !result_name_is_bucket("6612b00000001"));
}

static void cuts(void)
{
    char text[NAME_SIZE], lane[NAME_LANE_SIZE];
    struct lane_says says;
    uint64_t position;
    static const char *const wrong[] = {"63f2a1b3c4001.1",    "00063f2a1b3c4001",    "00063f2a1b3c4001.",
                                        "00063f2a1b3c4001.0", "00063f2a1b3c4001.1x", "00063f2a1b3c4001.1000"};
    lane_name_format_cut(0x00063f2a1b3c4001, LANE_CUTS_MAX, text);
    EXPECT_TEXT(text, "00063f2a1b3c4001.999");
    EXPECT(lane_name_parse_cut(text, &position) && position == 0x00063f2a1b3c4001);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        EXPECT(!lane_name_parse_cut(wrong[i], &position));
    lane_name_format_says(&(struct lane_says){UINT64_MAX, true}, text);
    EXPECT_TEXT(text, "ffffffffffffffff+");
    EXPECT(lane_name_parse_says(text, &says) && says.random == UINT64_MAX && says.is_late);
    EXPECT(lane_name_parse_says("00000000000000ff", &says) && says.random == 0xff && !says.is_late);
    EXPECT(!lane_name_parse_says("ff", &says) && !lane_name_parse_says("00000000000000ff+ ", &says));
    lane_name_format_draft(LANE_DRAFT_VOID, 1, text);
    EXPECT_TEXT(text, "void-0000000000000001");
    EXPECT(lane_name_is_draft(text) && lane_name_is_draft("out-0000000000000001") && !lane_name_is_draft("out-1"));
    lane_name_format_cut_gen("0123456789abcdefGHIJKL", text);
    EXPECT_TEXT(text, "cut.GHIJKL");
    EXPECT(lane_name_parse_gen("0123456789abcdef", text, lane));
    EXPECT_TEXT(lane, "0123456789abcdefGHIJKL");
}

/* The token's name has no room for a long id, a due time, and where in a file the message lies. */
static void what_fits_a_lane(void)
{
    struct message_name name = {.count = 1, .position = 1, .offset = NAME_BYTES_MAX, .length = NAME_BYTES_MAX};
    char text[NAME_SIZE];
    struct message_name back;
    memset(name.id, 'i', sizeof name.id - 1);
    strcpy(name.others, ".f");
    name.expires = NAME_TIME_MAX;
    EXPECT(name_fits_lane(&name));
    struct message_name claim = lane_name_token(&name, "0123456789abcdefGHIJKL");
    claim.time = claim.begun = NAME_TIME_MAX;
    claim.attempts = NAME_ATTEMPTS_MAX;
    claim.claimed = true;
    claim.owner.process = 999999999;
    strcpy(claim.owner.host, "12345678");
    name_format(MQ_INFLIGHT, &claim, text);
    EXPECT(strlen(text) < NAME_SIZE && name_parse(MQ_INFLIGHT, text, &back) && back.length == name.length);
    name.due = 1;
    EXPECT(!name_fits_lane(&name));
    name.due = 0;
    name.count = 2;
    EXPECT(!name_fits_lane(&name));
}

int main(void)
{
    states_and_deaths();
    ready_names();
    unknown_fields_are_kept();
    a_part_of_a_file();
    what_is_no_name();
    claims_say_when_and_whose();
    longest_name_fits();
    names_sort_in_order_of_delivery();
    reasons();
    receipts();
    queue_names();
    pending_names();
    reply_queues();
    done_buckets();
    retried_names();
    results();
    cuts();
    what_fits_a_lane();
    return unit_failures != 0;
}
