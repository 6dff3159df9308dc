/* Records of failures. */
#include "queue/failures.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "base/io.h"
#include "mq.h"
#include "queue/blame.h"
#include "store/access.h"
#include "store/bucket.h"

#define FILE_MAX (256 * 1024)

static int open_dir(const mq_queue *queue)
{
    return fs_open_dir(queue->dir, "failures");
}

static int make_dir(const mq_queue *queue)
{
    const int error = access_make_dir(queue->dir, queue->sharing, queue->dir, "failures");
    return error && error != -EEXIST ? error : open_dir(queue);
}

/* ---- one message ------------------------------------------------------------------ */

static int read_file(int file, char **ret_text, size_t *ret_size)
{
    /* Another process may append a line during the read, after the file has reached its limit. */
    char *text = malloc(FILE_MAX + FAILURES_LINE_MAX);
    const ssize_t size = text ? io_read_full(file, text, FILE_MAX + FAILURES_LINE_MAX) : -ENOMEM;
    if (size <= 0) {
        free(text);
        return (int)size;
    }
    *ret_text = text;
    *ret_size = (size_t)size;
    return 1;
}

/* Replace the file by its newer half, which begins with a whole line. */
static int write_newer_half(const mq_queue *queue, int dir, const char *id, const char *text, size_t size)
{
    const char *half = memchr(text + size / 2, '\n', size - size / 2);
    const size_t rest = half ? size - (size_t)(half + 1 - text) : 0;
    char name[40];
    snprintf(name, sizeof name, "failures-%016" PRIx64, id_random());
    const int tmp = fs_open_dir(queue->dir, "tmp");
    const int file = tmp < 0 ? tmp : fs_make_file(tmp, name, access_mode(queue->sharing, ACCESS_FILE));
    int error = file < 0 ? file : io_write_all(file, text + size - rest, rest);
    if (!error)
        error = fs_replace(tmp, name, dir, id);
    if (file >= 0) {
        close(file);
        if (error)
            (void)fs_unlink(tmp, name);
    }
    if (tmp >= 0)
        close(tmp);
    return error;
}

static int shorten(const mq_queue *queue, int dir, const char *id)
{
    char *text = NULL;
    size_t size = 0;
    const int file = fs_open_file(dir, id);
    if (file < 0)
        return file;
    int error = read_file(file, &text, &size);
    close(file);
    if (error != 1)
        return error;
    error = write_newer_half(queue, dir, id, text, size);
    free(text);
    return error;
}

static int append(const mq_queue *queue, int dir, const char *id, const char *line, size_t size, bool *ret_full)
{
    struct stat status;
    const int file = fs_open_append(dir, id, access_mode(queue->sharing, ACCESS_FILE));
    if (file < 0)
        return file;
    int error = fstat(file, &status) < 0 ? fs_error() : 0;
    *ret_full = !error && status.st_size + (off_t)size > FILE_MAX;
    if (!error && !*ret_full)
        error = io_write_all(file, line, size);
    close(file);
    return error;
}

int failures_add(mq_queue *queue, const char *id, const char *line, size_t size)
{
    bool full = false;
    int dir = open_dir(queue);
    if (dir == -ENOENT)
        dir = make_dir(queue);
    if (dir < 0)
        return dir;
    int error = append(queue, dir, id, line, size, &full);
    if (!error && full)
        error = shorten(queue, dir, id);
    if (!error && full)
        error = append(queue, dir, id, line, size, &full);
    close(dir);
    return error;
}

int mq_failures(mq_queue *queue, const char *id, char **ret_text, size_t *ret_size)
{
    if (!id_is_valid(id))
        return -EINVAL;
    const int dir = open_dir(queue), file = dir < 0 ? dir : fs_open_file(dir, id);
    const int got = file < 0 ? file : read_file(file, ret_text, ret_size);
    if (file >= 0)
        close(file);
    if (dir >= 0)
        close(dir);
    return got == -ENOENT ? 0 : got;
}

void failures_forget(mq_queue *queue, enum mq_state state, const struct message_name *name)
{
    const int dir = name_may_have_failed(state, name) ? open_dir(queue) : -ENOENT;
    if (dir < 0)
        return;
    (void)fs_unlink(dir, name->id);
    close(dir);
}

/* ---- records whose message is gone -------------------------------------------------- */

/* A walk may miss a message that moves meanwhile. A second walk is unlikely to miss the same message. */
#define LOOKS 2

/* Ids as a binary tree of tsearch. */
struct ids {
    void *root;
};

static int compare_ids(const void *one, const void *other)
{
    return strcmp(one, other);
}

static int add_id(void *context, const char *name, unsigned char type)
{
    struct ids *ids = context;
    char *id = type == DT_REG && id_is_valid(name) ? strdup(name) : NULL;
    if (id && !tsearch(id, &ids->root, compare_ids))
        free(id);
    return 0; /* a record that is not noted stays until the next sweep */
}

static void drop_id(struct ids *ids, const char *id)
{
    char **const found = tfind(id, &ids->root, compare_ids);
    if (!found)
        return;
    char *const text = *found;
    (void)tdelete(text, &ids->root, compare_ids);
    free(text);
}

static int drop_message(void *context, const struct bucket_file *file)
{
    drop_id(context, file->name.id);
    return 0;
}

/* Leave only the ids of which there is no message. */
static int drop_present(int queue_dir, struct ids *ids)
{
    int error = 0;
    for (int look = 0; look < LOOKS && ids->root; look++)
        for (int state = 0; state < MQ_STATES && !error; state++)
            error = bucket_walk(queue_dir, (enum mq_state)state, drop_message, ids);
    return error;
}

/* Free the ids, and remove their records unless an error is known before. */
static int remove_rest(struct ids *ids, int dir, int error, uint64_t *removed)
{
    int first_error = error;
    while (ids->root) {
        char *const id = *(char **)ids->root;
        const int failed = error ? error : fs_unlink(dir, id);
        *removed += !failed;
        blame_note(failed, &first_error);
        drop_id(ids, id);
    }
    return first_error;
}

int failures_sweep(mq_queue *queue, uint64_t *ret_removed)
{
    struct ids ids = {0};
    const int dir = open_dir(queue);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    int error = fs_list_at(dir, ".", add_id, &ids);
    if (!error)
        error = drop_present(queue->dir, &ids);
    error = remove_rest(&ids, dir, error, ret_removed);
    close(dir);
    return error;
}
