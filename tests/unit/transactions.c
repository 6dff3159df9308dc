/* Transactions: all or nothing, whoever finishes them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "format/outbox_name.h"
#include "mq.h"
#include "unit.h"

#define SECOND INT64_C(1000000)

static const struct mq_send_options sending = {MQ_SEND_DEFAULTS};
static const struct mq_receive_options at_once = {.wait = 0, .cancel_fd = -1};
static char spool[] = "/tmp/mq-transactions-XXXXXX";

static mq_queue *open_queue(const char *name)
{
    mq_queue *queue = NULL;
    EXPECT(mq_open(spool, name, MQ_CREATE, &queue) == 0);
    return queue;
}

static mq_tx *begin(int64_t timeout)
{
    mq_tx *tx = NULL;
    EXPECT(mq_tx_begin(spool, timeout, &tx) == 0);
    return tx;
}

static mq_message *message_of(const char *body)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    mq_message_set_body(message, body, strlen(body));
    return message;
}

static int put_in(mq_tx *tx, const char *name, const char *body)
{
    mq_queue *queue = open_queue(name);
    mq_message *message = message_of(body);
    const int error = mq_tx_send(tx, queue, message, &sending, NULL);
    mq_message_free(message);
    mq_close(queue);
    return error;
}

/* What can be received and acked, with blanks between. */
static void expect_queue(const char *name, const char *wanted)
{
    mq_queue *queue = open_queue(name);
    mq_message *message;
    char got[512] = "";
    while (mq_receive(queue, &at_once, &message) == 1) {
        const size_t used = strlen(got);
        if (used > 0)
            strcat(got, " ");
        (void)!mq_message_read(message, got + strlen(got), 64);
        EXPECT(mq_ack(queue, mq_message_receipt(message)) == 0);
        mq_message_free(message);
    }
    EXPECT_TEXT(got, wanted);
    mq_close(queue);
}

static int count_entry(const struct mq_tx_entry *entry, void *context)
{
    (void)entry;
    ++*(int *)context;
    return 0;
}

static void expect_open(int wanted)
{
    int count = 0;
    EXPECT(mq_tx_list(spool, count_entry, &count) == 0);
    EXPECT(count == wanted);
}

static void claim(mq_queue *queue, char receipt[MQ_RECEIPT_SIZE])
{
    mq_message *message;
    if (!EXPECT(mq_receive(queue, &at_once, &message) == 1))
        return;
    strcpy(receipt, mq_message_receipt(message));
    mq_message_free(message);
}

static void send_plainly(mq_queue *queue, const char *body)
{
    mq_message *message = message_of(body);
    EXPECT(mq_send(queue, message, &sending, NULL) == 0);
    mq_message_free(message);
}

/* The path of a file in the one transaction that there is. */
static void tx_path(const char *file, char ret_path[128])
{
    char outbox[64];
    snprintf(outbox, sizeof outbox, "%s/.outbox", spool);
    DIR *dir = opendir(outbox);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        if (entry->d_name[0] != '.')
            snprintf(ret_path, 128, "%s/%.40s/%s", outbox, entry->d_name, file);
    closedir(dir);
}

static int note_deadline(const struct mq_tx_entry *entry, void *context)
{
    *(int64_t *)context = entry->deadline;
    return 0;
}

/* ---- */

static void test_commit(void)
{
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(put_in(tx, "a", "one") == 0);
    EXPECT(put_in(tx, "b", "two") == 0);
    EXPECT(put_in(tx, "a", "three") == 0);
    expect_queue("a", "");
    expect_queue("b", "");
    expect_open(1);
    EXPECT(mq_tx_commit(tx) == 0);
    expect_open(0);
    EXPECT(mq_tx_abort(tx) == -ESTALE);
    EXPECT(put_in(tx, "a", "late") == -ESTALE);
    mq_tx_free(tx);
    expect_queue("a", "one three");
    expect_queue("b", "two");
}

static void test_abort(void)
{
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(put_in(tx, "a", "one") == 0);
    EXPECT(mq_tx_abort(tx) == 0);
    EXPECT(mq_tx_commit(tx) == -ESTALE);
    mq_tx_free(tx);
    expect_open(0);
    expect_queue("a", "");
}

/* One whose directory stays, because of something strange in it, keeps to what was decided, by this handle or another. */
static void decide_late(int decide(mq_tx *tx), const char *wanted)
{
    char path[128] = "";
    mq_tx *tx = begin(60 * SECOND), *other;
    EXPECT(mq_tx_open(spool, mq_tx_id(tx), &other) == 0);
    EXPECT(put_in(tx, "a", "one") == 0);
    tx_path("stray", path);
    EXPECT(mkdir(path, 0700) == 0);
    EXPECT(decide(tx) == 0);
    EXPECT(mq_tx_commit(tx) == -ESTALE && mq_tx_commit(other) == -ESTALE);
    EXPECT(mq_tx_abort(tx) == -ESTALE && mq_tx_abort(other) == -ESTALE);
    EXPECT(mq_tx_extend(tx, SECOND) == -ESTALE && mq_tx_extend(other, SECOND) == -ESTALE);
    tx_path("stray", path);
    EXPECT(rmdir(path) == 0);
    EXPECT(mq_tx_finish(spool) == 0);
    mq_tx_free(tx);
    mq_tx_free(other);
    expect_open(0);
    expect_queue("a", wanted);
}

static void test_late(void)
{
    decide_late(mq_tx_abort, "");
    decide_late(mq_tx_commit, "one");
}

static void test_renew(void)
{
    char first[MQ_TX_SIZE], outbox[64];
    mq_tx *tx = begin(60 * SECOND), *other;
    strcpy(first, mq_tx_id(tx));
    EXPECT(mq_tx_renew(tx, 60 * SECOND) == -EBUSY);
    EXPECT(put_in(tx, "a", "one") == 0 && mq_tx_commit(tx) == 0);
    EXPECT(mq_tx_renew(tx, 0) == -EINVAL);
    EXPECT(put_in(tx, "a", "late") == -ESTALE);

    EXPECT(mq_tx_renew(tx, 60 * SECOND) == 0);
    EXPECT(strcmp(first, mq_tx_id(tx)) != 0);
    expect_open(1);
    EXPECT(mq_tx_open(spool, mq_tx_id(tx), &other) == 0); /* decided by another handle */
    EXPECT(put_in(tx, "a", "two") == 0 && mq_tx_commit(other) == 0);
    mq_tx_free(other);

    EXPECT(mq_tx_renew(tx, 60 * SECOND) == 0 && mq_tx_abort(tx) == 0);
    snprintf(outbox, sizeof outbox, "%s/.outbox", spool);
    EXPECT(rmdir(outbox) == 0);
    EXPECT(mq_tx_renew(tx, 60 * SECOND) == 0);
    EXPECT(put_in(tx, "a", "three") == 0 && mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    expect_queue("a", "one two three");
    expect_open(0);
}

static void test_deadline(void)
{
    mq_tx *tx = begin(1);
    EXPECT(put_in(tx, "a", "one") == 0);
    EXPECT(mq_tx_finish(spool) == 0);
    expect_open(0);
    EXPECT(mq_tx_commit(tx) == -ESTALE);
    EXPECT(mq_tx_extend(tx, SECOND) == -ESTALE);
    mq_tx_free(tx);
    expect_queue("a", "");
    EXPECT(mq_tx_begin(spool, 0, &tx) == -EINVAL);
}

static void test_extend(void)
{
    mq_tx *tx = begin(1), *other;
    EXPECT(mq_tx_open(spool, mq_tx_id(tx), &other) == 0);
    EXPECT(mq_tx_extend(other, 60 * SECOND) == 0);
    EXPECT(mq_tx_finish(spool) == 0);
    EXPECT(put_in(tx, "a", "one") == 0);
    EXPECT(put_in(other, "a", "two") == 0);
    EXPECT(mq_tx_commit(tx) == 0); /* under its new name */
    EXPECT(mq_tx_commit(other) == -ESTALE);
    mq_tx_free(tx);
    mq_tx_free(other);
    expect_queue("a", "one two");
}

static void test_opening(void)
{
    mq_tx *tx;
    EXPECT(mq_tx_open(spool, "0123456789abcdef", &tx) == -ENOENT);
    EXPECT(mq_tx_open(spool, "0123456789abcde", &tx) == -EINVAL);
    EXPECT(mq_tx_open(spool, "../../../../etc/", &tx) == -EINVAL);
    EXPECT(mq_tx_open("/nonexistent", "0123456789abcdef", &tx) == -ENOENT);
}

static void test_take(void)
{
    char receipt[MQ_RECEIPT_SIZE];
    mq_queue *queue = open_queue("in");
    struct mq_stats stats;
    send_plainly(queue, "job");
    claim(queue, receipt);
    int64_t deadline = 0, last = 0;
    mq_tx *tx = begin(3600 * SECOND);
    EXPECT(put_in(tx, "out", "result") == 0);
    EXPECT(mq_tx_list(spool, note_deadline, &last) == 0);
    EXPECT(mq_tx_take(tx, queue, receipt, 0) == 0);
    EXPECT(mq_tx_list(spool, note_deadline, &deadline) == 0);
    EXPECT(deadline > 0 && deadline < last - 3000 * SECOND); /* from then on it is the claim's */
    EXPECT(mq_ack(queue, receipt) == -ESTALE);
    EXPECT(mq_tx_take(tx, queue, receipt, 0) == -ESTALE);
    EXPECT(mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    EXPECT(mq_stat(queue, false, &stats) == 0);
    EXPECT(stats.acked == 1 && stats.count[MQ_INFLIGHT] == 0 && stats.count[MQ_READY] == 0);
    EXPECT(mq_stat(queue, true, &stats) == 0);
    EXPECT(stats.count[MQ_INFLIGHT] == 0);
    mq_close(queue);
    expect_queue("in", "");
    expect_queue("out", "result");
}

static void test_take_once(void)
{
    char receipt[MQ_RECEIPT_SIZE];
    mq_queue *queue = open_queue("in");
    mq_message *message = message_of("job");
    EXPECT(mq_message_set_id(message, "job-1") == 0);
    EXPECT(mq_send(queue, message, &sending, NULL) == 0);
    mq_message_free(message);
    claim(queue, receipt);
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(mq_tx_take(tx, queue, receipt, MQ_TX_ONCE) == 0);
    EXPECT(mq_was_acked(queue, "job-1") == 0);
    EXPECT(mq_tx_commit(tx) == 0);
    EXPECT(mq_was_acked(queue, "job-1") == 1);
    mq_tx_free(tx);
    mq_close(queue);
}

static void test_give_back(void)
{
    char receipt[MQ_RECEIPT_SIZE];
    mq_message *message;
    mq_queue *queue = open_queue("in");
    send_plainly(queue, "job");
    claim(queue, receipt);
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(mq_tx_take(tx, queue, receipt, 0) == 0);
    EXPECT(put_in(tx, "out", "result") == 0);
    EXPECT(mq_tx_abort(tx) == 0);
    mq_tx_free(tx);
    if (EXPECT(mq_receive(queue, &at_once, &message) == 1)) {
        EXPECT(mq_message_attempts(message) == 2);
        EXPECT(mq_ack(queue, mq_message_receipt(message)) == 0);
        mq_message_free(message);
    }
    mq_close(queue);
    expect_queue("out", "");
}

/* A claim that has lapsed is no part of a transaction. */
static void test_lapsed(void)
{
    mq_message *message;
    mq_queue *queue = open_queue("in");
    struct mq_receive_options shortly = at_once;
    shortly.ack_timeout = 1;
    send_plainly(queue, "job");
    EXPECT(mq_receive(queue, &shortly, &message) == 1);
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(mq_tx_take(tx, queue, mq_message_receipt(message), 0) == -ESTALE);
    EXPECT(mq_tx_abort(tx) == 0);
    mq_tx_free(tx);
    mq_message_free(message);
    mq_close(queue);
    expect_queue("in", "job");
}

/* The destination is deleted before the commit: it is made again. */
static void test_deleted(void)
{
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(put_in(tx, "gone", "one") == 0);
    EXPECT(mq_delete(spool, "gone", false) == 0);
    EXPECT(mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    expect_queue("gone", "one");
}

static void test_full(void)
{
    mq_queue *queue = open_queue("full");
    mq_close(queue);
    EXPECT(mq_config_set(spool, "full", "max-depth", "2") == 0);
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(put_in(tx, "full", "one") == 0);
    EXPECT(put_in(tx, "full", "two") == 0);
    EXPECT(put_in(tx, "full", "three") == -ENOBUFS);
    EXPECT(mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    expect_queue("full", "one two");
}

static void test_many(void)
{
    static const char text[] = "a\nb\nc\n";
    const struct iovec bodies[] = {{(char *)text, 1}, {(char *)text + 2, 1}, {(char *)text + 4, 1}};
    size_t sent;
    mq_queue *queue = open_queue("a");
    mq_message *message = message_of("");
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(mq_tx_send_bodies(tx, queue, message, bodies, 3, &sending, NULL, &sent) == 0);
    EXPECT(sent == 3);
    EXPECT(mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    mq_message_free(message);
    mq_close(queue);
    expect_queue("a", "a b c");
}

/* ---- files ---------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    EXPECT(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
}

static void expect_file(const char *path, const char *wanted)
{
    char text[64] = "";
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    EXPECT(file >= 0 && read(file, text, sizeof text - 1) >= 0);
    close(file);
    EXPECT_TEXT(text, wanted);
}

static int put_file(mq_tx *tx, const char *text, const char *path)
{
    int ends[2];
    EXPECT(pipe(ends) == 0 && write(ends[1], text, strlen(text)) == (ssize_t)strlen(text));
    close(ends[1]);
    const int error = mq_tx_put(tx, ends[0], path, 0600);
    close(ends[0]);
    return error;
}

static void test_files(void)
{
    char path[64], link[64], fresh[64];
    struct stat status;
    snprintf(path, sizeof path, "%s/state", spool);
    snprintf(link, sizeof link, "%s/link", spool);
    snprintf(fresh, sizeof fresh, "%s/fresh", spool);
    write_file(path, "old");
    EXPECT(symlink("state", link) == 0);
    mq_tx *tx = begin(60 * SECOND);
    EXPECT(put_file(tx, "new", link) == 0);
    EXPECT(put_file(tx, "made", fresh) == 0);
    EXPECT(put_in(tx, "a", "changed") == 0);
    EXPECT(put_file(tx, "x", spool) == -EISDIR);
    EXPECT(put_file(tx, "x", "/proc/x") < 0);
    EXPECT(put_file(tx, "x", "/nonexistent/x") == -ENOENT);
    expect_file(path, "old");
    EXPECT(mq_tx_commit(tx) == 0);
    mq_tx_free(tx);
    expect_file(path, "new");
    EXPECT(stat(path, &status) == 0 && (status.st_mode & 0777) == 0640);
    EXPECT(lstat(link, &status) == 0 && S_ISLNK(status.st_mode));
    expect_file(fresh, "made");
    expect_queue("a", "changed");
    tx = begin(60 * SECOND);
    EXPECT(put_file(tx, "never", path) == 0);
    EXPECT(mq_tx_abort(tx) == 0);
    mq_tx_free(tx);
    expect_file(path, "new");
    expect_open(0);
}

/* ---- names ------------------------------------------------------------------------------------ */

static void test_names(void)
{
    enum outbox_state state;
    char id[MQ_TX_SIZE], name[OUTBOX_NAME_SIZE], text[NAME_SIZE];
    int64_t deadline;
    outbox_format_id(UINT64_C(0xfedcba9876543210), id);
    for (int wanted = OUTBOX_OPEN; wanted <= OUTBOX_ABORTED; wanted++) {
        char got[MQ_TX_SIZE];
        outbox_format((enum outbox_state)wanted, id, 12345, name);
        EXPECT(outbox_parse(name, &state, got, &deadline) && (int)state == wanted);
        EXPECT_TEXT(got, id);
        EXPECT(deadline == (wanted == OUTBOX_OPEN ? 12345 : 0));
    }
    EXPECT(!outbox_parse("fedcba9876543210", &state, id, &deadline));
    EXPECT(!outbox_parse("fedcba9876543210.commit", &state, id, &deadline));
    EXPECT(!outbox_parse("0000000003039.fedcba9876543210.aborted", &state, id, &deadline));
    EXPECT(!outbox_parse("", &state, id, &deadline));

    /* The longest output there is. */
    struct outbox_entry entry = {.kind = OUTBOX_DURABLE_OUTPUT, .name = {.time = 1, .position = 1, .count = 4096}}, got;
    memset(entry.queue, 'q', 128);
    memset(entry.name.id, 'i', sizeof entry.name.id - 1);
    entry.name.expires = NAME_TIME_MAX;
    EXPECT(outbox_format_entry(&entry, text) == 0);
    EXPECT(outbox_parse_entry(text, &got));
    EXPECT_TEXT(got.queue, entry.queue);
    EXPECT_TEXT(got.name.id, entry.name.id);
    EXPECT(got.kind == entry.kind && got.name.count == 4096);
    EXPECT(!outbox_parse_entry("o:jobs:nonsense", &got));
    EXPECT(!outbox_parse_entry("o:../x:0000000000001.50000000000000001.abc.a0", &got));
    EXPECT(!outbox_parse_entry("y:jobs:0000000000001.50000000000000001.abc.a0", &got));
    EXPECT(!outbox_parse_entry("p:0", &got));
    EXPECT(!outbox_parse_entry("", &got));
}

/* ---- death ---------------------------------------------------------------------------------- */

/* One that died right behind its decision: whoever receives finishes it. */
static void test_survivors_finish(void)
{
    char from[128], to[128], id[MQ_TX_SIZE];
    mq_message *message;
    mq_queue *queue = open_queue("b");
    struct mq_receive_options patiently = at_once;
    patiently.wait = 4 * SECOND; /* after which nobody looks for transactions that are not announced */
    EXPECT(mq_receive(queue, &patiently, &message) == 0);
    mq_tx *tx = begin(60 * SECOND);
    strcpy(id, mq_tx_id(tx));
    EXPECT(put_in(tx, "a", "one") == 0);
    EXPECT(put_in(tx, "b", "two") == 0);
    mq_tx_free(tx);
    DIR *outbox = NULL;
    snprintf(from, sizeof from, "%s/.outbox", spool);
    outbox = opendir(from);
    for (struct dirent *entry; outbox && (entry = readdir(outbox));)
        if (entry->d_name[0] != '.')
            snprintf(from, sizeof from, "%s/.outbox/%.40s", spool, entry->d_name);
    closedir(outbox);
    snprintf(to, sizeof to, "%s/.outbox/%s.committed", spool, id);
    EXPECT(rename(from, to) == 0);
    patiently.wait = 10 * SECOND;
    if (EXPECT(mq_receive(queue, &patiently, &message) == 1)) {
        EXPECT(mq_ack(queue, mq_message_receipt(message)) == 0);
        mq_message_free(message);
    }
    mq_close(queue);
    expect_queue("a", "one");
    expect_open(0);
}

int main(void)
{
    char command[64];
    if (!mkdtemp(spool))
        return 1;
    test_names();
    test_commit();
    test_abort();
    test_renew();
    test_deadline();
    test_late();
    test_extend();
    test_opening();
    test_take();
    test_take_once();
    test_give_back();
    test_lapsed();
    test_deleted();
    test_full();
    test_many();
    test_files();
    test_survivors_finish();
    snprintf(command, sizeof command, "rm -rf %s", spool);
    return system(command) != 0 || unit_failures != 0;
}
