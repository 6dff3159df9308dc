/* Batches, of messages with headers of their own and of those that share them: names take a file apart, a message at a
   time, and together they are the whole of it. */
#include "format/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/id.h"
#include "format/decode.h"
#include "format/encode.h"
#include "unit.h"

#define COUNT 5

static const size_t sizes[COUNT] = {3, 0, 2000, 70000, 1};

struct maker {
    int file;
    char *text;
    size_t size;
    struct message_name name;
};

static char ids[COUNT][MQ_ID_SIZE];

static char *body_of(int index)
{
    char *body = malloc(sizes[index] + 1);
    memset(body, 'a' + index, sizes[index]);
    return body;
}

static mq_message *new_message(void)
{
    mq_message *message;
    EXPECT(mq_message_new(&message) == 0);
    EXPECT(mq_message_set_header(message, "Kind", "tested") == 0);
    return message;
}

static char *put_own(char *end)
{
    for (int i = 0; i < COUNT; i++) {
        mq_message *message = new_message();
        char *body = body_of(i);
        snprintf(ids[i], sizeof ids[i], "id-%d", i);
        mq_message_set_body(message, body, sizes[i]);
        end = encode_message(message, ids[i], 0, "now", end);
        mq_message_free(message);
        free(body);
    }
    return end;
}

static char *put_shared(char *end)
{
    mq_message *message = new_message();
    struct id_series series = id_series(0);
    for (int i = 0; i < COUNT; i++)
        id_next(&series, ids[i]);
    char *const begin = end = encode_shared(message, ids[0], 0, "now", '\n', end);
    for (int i = 0; i < COUNT; i++) {
        char *body = body_of(i);
        end = (char *)mempcpy(end, body, sizes[i]);
        *end++ = '\n';
        free(body);
    }
    encode_shared_length(begin, (uint64_t)(end - begin));
    mq_message_free(message);
    return end;
}

static struct maker make_batch(bool shared)
{
    struct maker made = {.file = memfd_create("batch", MFD_CLOEXEC), .text = malloc(200000)};
    made.size = (size_t)((shared ? put_shared(made.text) : put_own(made.text)) - made.text);
    made.name = (struct message_name){.priority = MQ_PRIORITY_DEFAULT, .position = 4096, .count = COUNT};
    strcpy(made.name.id, ids[0]);
    EXPECT(write(made.file, made.text, made.size) == (ssize_t)made.size);
    return made;
}

static void expect_headers(const mq_message *message, int index)
{
    const char *name, *value;
    char length[24];
    size_t count = 0;
    snprintf(length, sizeof length, "%zu", sizes[index]);
    EXPECT_TEXT(mq_message_header(message, "kind"), "tested");
    EXPECT_TEXT(mq_message_header(message, "Id"), ids[index]);
    EXPECT_TEXT(mq_message_header(message, "content-length"), length);
    while (mq_message_header_at(message, count, &name, &value) == 1)
        count++;
    EXPECT(count == 4);
}

static void expect_message(int file, const struct message_name *one, int index)
{
    mq_message *message;
    char *body = malloc(80000);
    EXPECT_TEXT(one->id, ids[index]);
    EXPECT(one->count == 1 && one->position == 4096 + (uint64_t)index);
    if (EXPECT(decode_file(dup(file), one, &message) == 0)) {
        expect_headers(message, index);
        EXPECT(mq_message_size(message) == sizes[index]);
        ssize_t got, have = 0;
        while ((got = mq_message_read(message, body + have, 80000 - (size_t)have)) > 0)
            have += got;
        EXPECT(got == 0 && have == (ssize_t)sizes[index]);
        EXPECT(have == 0 || (body[0] == 'a' + index && body[have - 1] == 'a' + index));
        mq_message_free(message);
    }
    free(body);
}

struct walk {
    int file, next;
    uint64_t bytes;
};

static int visit(void *context, const struct message_name *one)
{
    struct walk *walk = context;
    expect_message(walk->file, one, walk->next++);
    walk->bytes = one->offset + one->length;
    return 0;
}

static void a_walk_shows_each_message(const struct maker *made)
{
    struct walk walk = {.file = made->file};
    EXPECT(batch_walk(made->file, &made->name, visit, &walk) == 0);
    EXPECT(walk.next == COUNT);
}

static void names_divide_the_file(const struct maker *made)
{
    struct message_name rest = made->name;
    uint64_t bytes = 0;
    for (int i = 0; i < COUNT - 1; i++) {
        struct batch_part first, next;
        char text[NAME_SIZE], next_id[MQ_ID_SIZE];
        struct message_name parsed;
        batch_step_id(rest.id, 1, next_id);
        EXPECT(batch_read_part(made->file, rest.offset, rest.id, &first) == 0);
        EXPECT(batch_read_part(made->file, first.offset + first.length, next_id, &next) == 0);
        const struct message_name one = batch_first(&rest, &first);
        expect_message(made->file, &one, i);
        bytes += one.length;
        rest = batch_rest(&rest, &next);
        EXPECT(rest.offset == bytes && rest.count == (uint32_t)(COUNT - 1 - i));
        name_format(MQ_READY, &rest, text);
        EXPECT(name_parse(MQ_READY, text, &parsed) && parsed.offset == rest.offset && parsed.count == rest.count);
    }
    expect_message(made->file, &rest, COUNT - 1);
    EXPECT(rest.length == 0);
}

static void text_shows_each_message_too(const struct maker *made)
{
    mq_message *message;
    size_t at = 0;
    EXPECT(mq_message_new(&message) == 0);
    for (int i = 0; i < COUNT; i++) {
        const size_t used = decode_text(made->text + at, made->size - at, message);
        EXPECT(used > 0 && mq_message_size(message) == sizes[i]);
        at += used;
    }
    EXPECT(at == made->size);
    EXPECT(decode_text(made->text + at, 0, message) == 0);
    mq_message_free(message);
}

/* `to` bytes of the batch are left, or one of them is another. */
static void what_is_cut_or_wrong_is_refused(const struct maker *made)
{
    struct batch_part part;
    const int file = memfd_create("cut", MFD_CLOEXEC);
    EXPECT(write(file, made->text, made->size - 1) == (ssize_t)made->size - 1);
    struct walk walk = {.file = made->file};
    EXPECT(batch_walk(file, &made->name, visit, &walk) == -EBADMSG);
    EXPECT(walk.next == COUNT - 1);
    EXPECT(batch_read_part(file, made->size, "none", &part) == -EBADMSG);
    EXPECT(batch_read_part(file, 1, "none", &part) == -EBADMSG);
    EXPECT(pwrite(file, "Content-Lengxh", 14, 0) == 14 && batch_read_part(file, 0, "none", &part) == -EBADMSG);
    close(file);
}

static void what_is_cut_or_wrong_is_refused_of_shared_ones_as_a_whole(const struct maker *made)
{
    struct batch_part part;
    mq_message *message;
    const int file = memfd_create("cut", MFD_CLOEXEC), same = memfd_create("same", MFD_CLOEXEC);
    struct walk walk = {.file = made->file};
    struct message_name alone = made->name;
    alone.count = 1;
    EXPECT(write(file, made->text, made->size - 1) == (ssize_t)made->size - 1);
    EXPECT(batch_walk(file, &made->name, visit, &walk) == -EBADMSG && walk.next == 0);
    EXPECT(decode_file(file, &alone, &message) == -EBADMSG);
    EXPECT(batch_read_part(made->file, made->size, ids[1], &part) == -EBADMSG);
    EXPECT(batch_read_part(made->file, 1, ids[1], &part) == -EBADMSG);
    EXPECT(batch_read_part(made->file, made->size - 2, "stranger", &part) == -EBADMSG);
    EXPECT(batch_read_part(made->file, made->size - 2, "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11", &part) == -EBADMSG);
    /* The last byte is no separator; the separator is none; the id is another's. */
    EXPECT(write(same, made->text, made->size) == (ssize_t)made->size);
    EXPECT(pwrite(same, "x", 1, (off_t)made->size - 1) == 1 && decode_file(same, &alone, &message) == -EBADMSG);
    EXPECT(pwrite(same, "\n", 1, (off_t)made->size - 1) == 1);
    EXPECT(decode_file(dup(same), &alone, &message) == 0);
    mq_message_free(message);
    EXPECT(pwrite(same, "more\n", 5, (off_t)made->size) == 5 && decode_file(same, &alone, &message) == -EBADMSG);
    EXPECT(ftruncate(same, (off_t)made->size) == 0);
    EXPECT(pwrite(same, "anything", 8, 14) == 8 && batch_read_part(same, 0, ids[0], &part) == -EBADMSG);
    strcpy(alone.id, ids[1]);
    EXPECT(decode_file(made->file, &alone, &message) == -EBADMSG);
    close(file);
    close(same);
}

static void ids_are_stepped(void)
{
    static const char *const ids_before[] = {
        "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a11", "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a19",
        "01937b1e-8c5a-7d31-9fff-ffffffffffff", "01937b1e-8c5a-7d31-bfff-ffffffffffff"};
    static const char *const ids_after[] = {
        "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a12", "01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a1a",
        "01937b1e-8c5a-7d31-a000-000000000000", "01937b1e-8c5a-7d31-8000-000000000000"};
    for (size_t i = 0; i < sizeof ids_before / sizeof *ids_before; i++) {
        char id[ID_UUID_SIZE];
        id_step(ids_before[i], 1, id);
        EXPECT_TEXT(id, ids_after[i]);
        id_step(ids_after[i], -1, id);
        EXPECT_TEXT(id, ids_before[i]);
        id_increment(id);
        EXPECT_TEXT(id, ids_after[i]);
        EXPECT(id_distance(ids_before[i], ids_after[i]) == 1 && id_distance(id, id) == 0);
    }
    EXPECT(!id_is_in_series("id-1") && !id_is_in_series("01937B1E-8c5a-7d31-b2f0-6b1f0c9f4a11"));
    EXPECT(!id_is_in_series("01937b1e-8c5a-7d31-b2f0-6b1f0c9f4a111") && !id_is_in_series(""));
    EXPECT(id_distance("id-1", ids_before[0]) > NAME_COUNT_MAX && id_distance(ids_before[0], "id-1") > NAME_COUNT_MAX);
}

int main(void)
{
    struct maker made = make_batch(false);
    a_walk_shows_each_message(&made);
    names_divide_the_file(&made);
    what_is_cut_or_wrong_is_refused(&made);
    text_shows_each_message_too(&made); /* takes the text apart */
    close(made.file);
    free(made.text);
    made = make_batch(true);
    a_walk_shows_each_message(&made);
    names_divide_the_file(&made);
    what_is_cut_or_wrong_is_refused_of_shared_ones_as_a_whole(&made);
    close(made.file);
    free(made.text);
    ids_are_stepped();
    return unit_failures > 0;
}
