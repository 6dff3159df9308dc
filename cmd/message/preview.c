/* The beginning of a message, for a listing, and a message shown whole. */
#include "message/preview.h"

#include "base/clock.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/output.h"

#define CHUNK 16384

static void set_body(struct preview *preview, const char *data, size_t size)
{
    text_escape(data, size == PREVIEW_BYTES ? text_whole(data, size) : size, "", preview->body);
}

/* ---- corrupt messages: only the bytes of the file are shown ------------------------ */

static int open_file(mq_queue *queue, const struct mq_entry *entry)
{
    char spool[PATH_MAX], path[PATH_MAX * 2];
    const int error = mq_spool_path(cli_spool, spool, sizeof spool);
    if (error)
        return error;
    snprintf(path, sizeof path, "%s/%s/%s/%s/%s", spool, mq_queue_name(queue), mq_state_name(entry->state),
             entry->bucket, entry->file);
    const int file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    return file < 0 ? -errno : file;
}

static int preview_file(mq_queue *queue, const struct mq_entry *entry, struct preview *ret_preview)
{
    struct stat status;
    struct preview preview = {0};
    const int file = open_file(queue, entry);
    if (file == -ENOENT)
        return 0;
    if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        char data[PREVIEW_BYTES];
        const ssize_t got = read(file, data, sizeof data);
        preview.size = (uint64_t)status.st_size;
        preview.sent_at = clock_of_file(&status.st_mtim);
        set_body(&preview, data, got > 0 ? (size_t)got : 0);
    }
    if (file >= 0)
        close(file);
    *ret_preview = preview;
    return 1;
}

/* ---- messages that are not corrupt ------------------------------------------------ */

static int preview_message(mq_queue *queue, mq_message *message, struct preview *ret_preview)
{
    char data[PREVIEW_BYTES];
    size_t have = 0;
    ssize_t got = 1;
    while (have < sizeof data && (got = mq_message_read(message, data + have, sizeof data - have)) > 0)
        have += (size_t)got;
    if (got < 0)
        return (int)got;
    *ret_preview = (struct preview){.size = mq_message_size(message), .sent_at = mq_message_sent_at(message)};
    set_body(ret_preview, data, have);
    const char *group = cli_group_of(queue, message);
    const size_t size = group ? strlen(group) : 0;
    if (size > 0)
        text_escape(group, size > PREVIEW_GROUP ? text_whole(group, PREVIEW_GROUP) : size, "", ret_preview->group);
    return 1;
}

int preview_of(mq_queue *queue, const struct mq_entry *entry, struct preview *ret_preview)
{
    mq_message *message;
    const int opened = mq_entry_open(queue, entry, &message);
    if (opened == -EBADMSG || opened == -EAGAIN || opened == -EMSGSIZE)
        return preview_file(queue, entry, ret_preview);
    if (opened != 1)
        return opened;
    const int got = preview_message(queue, message, ret_preview);
    mq_message_free(message);
    return got;
}

/* ---- whole messages --------------------------------------------------------------- */

/* Print `data` escaped. If the end cuts a character in two, the character is left for the next call, unless this is the
   last. Returns the number of bytes printed. */
static size_t print_escaped(const char *data, size_t size, bool last)
{
    char text[TEXT_ESCAPED(CHUNK)];
    const size_t whole = last ? size : text_whole(data, size);
    const size_t length = text_escape(data, whole, "\n\t", text);
    fwrite(text, 1, length, stdout);
    return whole;
}

static int print_body(mq_message *message, bool escape)
{
    char data[CHUNK];
    size_t have = 0;
    for (;;) {
        const ssize_t got = mq_message_read(message, data + have, sizeof data - have);
        if (got < 0)
            return (int)got;
        have += (size_t)got;
        const size_t used = escape ? print_escaped(data, have, got == 0) : fwrite(data, 1, have, stdout);
        if (got == 0 || ferror(stdout))
            return 0; /* output_finish reports an error of standard output */
        memmove(data, data + used, have - used);
        have -= used;
    }
}

int preview_print_whole(mq_message *message)
{
    const bool escape = output_is_terminal();
    const char *name, *value;
    for (size_t i = 0; mq_message_header_at(message, i, &name, &value) == 1; i++)
        printf("%s: %s\n", name, value);
    putchar('\n');
    return print_body(message, escape);
}

/* ---- by a template ------------------------------------------------------------------ */

static int put_raw(void *context, const void *data, size_t size)
{
    (void)context;
    fwrite(data, 1, size, stdout);
    return 0;
}

static int put_escaped(void *context, const void *data, size_t size)
{
    const char *at = data;
    (void)context;
    for (size_t left = size; left > 0;) {
        const bool last = left <= CHUNK;
        const size_t used = print_escaped(at, last ? left : CHUNK, last);
        at += used;
        left -= used;
    }
    return 0;
}

int preview_print_by_template(const struct template *template, const struct template_message *about)
{
    const int error = template_write(template, about, output_is_terminal() ? put_escaped : put_raw, NULL);
    putchar('\n');
    return error;
}
