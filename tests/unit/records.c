/* Records of a stream: how it is cut, whatever the pieces that it comes in; the end, the limit and the wait. */
#include "io/records.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

struct input {
    int fd;
    const char *data;
    size_t size, piece;
};

static void *write_pieces(void *argument)
{
    const struct input *input = argument;
    for (size_t at = 0; at < input->size;) {
        const size_t left = input->size - at;
        const ssize_t put = write(input->fd, input->data + at, left < input->piece ? left : input->piece);
        if (put <= 0)
            break;
        at += (size_t)put;
    }
    close(input->fd);
    return NULL;
}

/* All records of what a pipe brings in such pieces, each within brackets; `let_go` says whether one by one. */
static void expect_records(const char *data, size_t size, size_t piece, char separator, const char *wanted)
{
    int ends[2];
    pthread_t writer;
    if (!EXPECT(pipe(ends) == 0))
        exit(1);
    struct input input = {.fd = ends[1], .data = data, .size = size, .piece = piece};
    if (!EXPECT(pthread_create(&writer, NULL, write_pieces, &input) == 0))
        exit(1);
    struct records records = {.fd = ends[0], .separator = separator};
    char text[256] = "", *record;
    size_t length, used = 0;
    int got;
    while ((got = records_next(&records, RECORDS_PATIENT, &record, &length)) == 1) {
        used += (size_t)snprintf(text + used, sizeof text - used, "[%.*s]", (int)length, record);
        records_let_go(&records);
    }
    EXPECT(got == 0);
    EXPECT(records_next(&records, RECORDS_PATIENT, &record, &length) == 0); /* the end stays the end */
    EXPECT_TEXT(text, wanted);
    records_release(&records);
    pthread_join(writer, NULL);
    close(ends[0]);
}

static void cuts(void)
{
    for (size_t piece = 1; piece <= 12; piece++) {
        expect_records("", 0, piece, '\n', "");
        expect_records("\n", 1, piece, '\n', "[]");
        expect_records("one\ntwo\n", 8, piece, '\n', "[one][two]");
        expect_records("one\ntwo", 7, piece, '\n', "[one][two]"); /* the last one may lack it */
        expect_records("\n\none\n", 6, piece, '\n', "[][][one]");
        expect_records("one\ntwo\0three", 13, piece, '\0', "[one\ntwo][three]");
    }
}

static void nothing_comes(void)
{
    int ends[2];
    char *record;
    size_t size;
    if (!EXPECT(pipe(ends) == 0))
        exit(1);
    struct records records = {.fd = ends[0], .separator = '\n'};
    EXPECT(records_next(&records, 1, &record, &size) == -ETIMEDOUT);
    EXPECT(write(ends[1], "half", 4) == 4);
    EXPECT(records_next(&records, 1, &record, &size) == -ETIMEDOUT);
    EXPECT(write(ends[1], " whole\nmore\n", 12) == 12);
    EXPECT(records_next(&records, RECORDS_PATIENT, &record, &size) == 1 && size == 10 &&
           !memcmp(record, "half whole", 10));
    char *second;
    EXPECT(records_at_hand(&records, &second, &size) == 1 && size == 4 && !memcmp(second, "more", 4));
    EXPECT(!memcmp(record, "half whole", 10)); /* the first one was not let go */
    EXPECT(records_at_hand(&records, &second, &size) == 0);
    records_let_go(&records);
    records_release(&records);
    close(ends[0]);
    close(ends[1]);
}

static void failures(void)
{
    char *record;
    size_t size;
    struct records records = {.fd = -1, .separator = '\n'};
    EXPECT(records_next(&records, RECORDS_PATIENT, &record, &size) == -EBADF);
    records_release(&records);
}

/* One of the most there may be is taken, one more byte is refused. */
static void limit(size_t length, int wanted)
{
    FILE *file = tmpfile();
    char *const block = malloc(RECORDS_MOST), *record;
    size_t size;
    if (!EXPECT(file && block))
        exit(1);
    memset(block, 'x', RECORDS_MOST);
    EXPECT(fwrite(block, 1, RECORDS_MOST, file) == RECORDS_MOST);
    for (size_t i = RECORDS_MOST; i < length; i++)
        fputc('x', file);
    fputc('\n', file);
    rewind(file);
    struct records records = {.fd = fileno(file), .separator = '\n'};
    EXPECT(records_next(&records, RECORDS_PATIENT, &record, &size) == wanted);
    EXPECT(wanted != 1 || size == length);
    records_release(&records);
    fclose(file);
    free(block);
}

int main(void)
{
    cuts();
    nothing_comes();
    failures();
    limit(RECORDS_MOST, 1);
    limit(RECORDS_MOST + 1, -EMSGSIZE);
    return unit_failures > 0;
}
