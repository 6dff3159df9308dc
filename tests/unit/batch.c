/* Batches: names take a file apart, a message at a time, and together they are the whole of it. */
#include "batch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode.h"
#include "encode.h"
#include "unit.h"

#define COUNT 5

static const size_t sizes[COUNT] = {3, 0, 2000, 70000, 1};

struct maker {
    int file;
    char *text;
    size_t size;
    struct name name;
};

static struct maker make_batch(void)
{
    struct maker made = {.file = memfd_create("batch", MFD_CLOEXEC), .text = malloc(200000)};
    char *end = made.text;
    for (int i = 0; i < COUNT; i++) {
        mq_message *message;
        char *body = malloc(sizes[i] + 1);
        struct name name = {.priority = MQ_PRIORITY_DEFAULT, .count = 1};
        EXPECT(mq_message_new(&message) == 0);
        memset(body, 'a' + i, sizes[i]);
        snprintf(name.id, sizeof name.id, "id-%d", i);
        mq_message_set_body(message, body, sizes[i]);
        EXPECT(mq_message_set_header(message, "Number", name.id) == 0);
        end = encode_message(message, name.id, 0, "now", end);
        mq_message_free(message);
        free(body);
    }
    made.size = (size_t)(end - made.text);
    made.name = (struct name){.id = "id-0", .priority = MQ_PRIORITY_DEFAULT, .position = 4096, .count = COUNT};
    EXPECT(write(made.file, made.text, made.size) == (ssize_t)made.size);
    return made;
}

static void expect_message(int file, const struct name *one, int index)
{
    mq_message *message;
    char id[16], *body = malloc(80000);
    snprintf(id, sizeof id, "id-%d", index);
    EXPECT_TEXT(one->id, id);
    EXPECT(one->count == 1 && one->position == 4096 + (uint64_t)index);
    if (EXPECT(decode_file(dup(file), one, &message) == 0)) {
        EXPECT_TEXT(mq_message_header(message, "number"), id);
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

static int visit(void *context, const struct name *one)
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
    struct name rest = made->name;
    uint64_t bytes = 0;
    for (int i = 0; i < COUNT - 1; i++) {
        struct batch_part first, next;
        char text[NAME_SIZE];
        struct name parsed;
        EXPECT(batch_read_part(made->file, rest.offset, &first) == 0);
        EXPECT(batch_read_part(made->file, first.offset + first.length, &next) == 0);
        const struct name one = batch_first(&rest, &first);
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
    EXPECT(batch_read_part(file, made->size, &part) == -EBADMSG);
    EXPECT(batch_read_part(file, 1, &part) == -EBADMSG);
    EXPECT(pwrite(file, "Content-Lengxh", 14, 0) == 14 && batch_read_part(file, 0, &part) == -EBADMSG);
    close(file);
}

int main(void)
{
    struct maker made = make_batch();
    a_walk_shows_each_message(&made);
    names_divide_the_file(&made);
    what_is_cut_or_wrong_is_refused(&made);
    text_shows_each_message_too(&made); /* takes the text apart */
    close(made.file);
    free(made.text);
    return unit_failures > 0;
}
