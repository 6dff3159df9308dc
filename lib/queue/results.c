/* Results while their commands run. */
#include "queue/results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/io.h"
#include "store/access.h"

/* Another process may remove an empty bucket before a file is made in it. */
#define TRIES 10

/* Each stream may take this part of keep-results-size. */
#define STREAM_PARTS 4

#define TOKEN_MASK UINT64_C(0xffffffff)

struct mq_result {
    mq_queue *queue;
    struct result_name name; /* with what is kept so far */
    char bucket[NAME_BUCKET_SIZE];
    int files[MQ_STREAMS]; /* -1: it has none yet */
    uint64_t most;         /* bytes of each stream */
    bool failed;           /* something could not be written: nothing more is */
};

/* ---- files -------------------------------------------------------------------------- */

static int open_bucket(const mq_queue *queue, const char *bucket)
{
    return fs_open_dir_below(queue->dir, RESULT_NAME_DIR, bucket);
}

static int make_bucket(const mq_queue *queue, const char *bucket)
{
    int error = access_make_dir(queue->dir, queue->sharing, queue->dir, RESULT_NAME_DIR);
    const int results = !error || error == -EEXIST ? fs_open_dir(queue->dir, RESULT_NAME_DIR) : error;
    if (results < 0)
        return results;
    error = access_make_dir(queue->dir, queue->sharing, results, bucket);
    const int dir = !error || error == -EEXIST ? fs_open_dir(results, bucket) : error;
    close(results);
    return dir;
}

/* In a private queue the file belongs to the owner of the queue, even if root runs the command. */
static int make_in(const mq_queue *queue, int dir, const char *name)
{
    const int file = fs_make_file(dir, name, access_mode(queue->sharing, ACCESS_FILE));
    if (file < 0)
        return file;
    int error = access_is_shared(queue->sharing) ? 0 : fs_give_to_owner_of(dir, name);
    if (!error && flock(file, LOCK_EX | LOCK_NB) < 0)
        error = -errno;
    if (!error)
        return file;
    (void)fs_unlink(dir, name);
    close(file);
    return error;
}

static int make_file(const mq_queue *queue, const char *bucket, const char *name)
{
    int file = -ENOENT;
    for (int tries = 0; tries < TRIES && file == -ENOENT; tries++) {
        int dir = open_bucket(queue, bucket);
        if (dir == -ENOENT)
            dir = make_bucket(queue, bucket);
        if (dir < 0 && dir != -ENOENT)
            return dir;
        file = dir < 0 ? dir : make_in(queue, dir, name);
        if (dir >= 0)
            close(dir);
    }
    return file;
}

static int open_stream(mq_result *result, enum mq_stream stream)
{
    char text[RESULT_NAME_SIZE];
    struct result_name name = result->name;
    name.kind = stream == MQ_STDERR ? RESULT_ERRORS : RESULT_UNFINISHED;
    result_name_format(&name, text);
    const int file = make_file(result->queue, result->bucket, text);
    if (file < 0)
        return file;
    result->files[stream] = file;
    return 0;
}

/* ---- the life of a result ----------------------------------------------------------- */

static void release(mq_result *result)
{
    for (int stream = 0; stream < MQ_STREAMS; stream++)
        if (result->files[stream] >= 0)
            close(result->files[stream]);
    free(result);
}

int mq_result_begin(mq_queue *queue, const mq_message *message, mq_result **ret_result)
{
    const uint64_t size = queue->config.keep_results_size;
    int error = queue_demand(queue, ACCESS_ALL);
    mq_result *result = error ? NULL : malloc(sizeof *result);
    if (!result)
        return error ? error : -ENOMEM;
    *result = (mq_result){
        .queue = queue,
        .files = {-1, -1},
        .most = size ? size / STREAM_PARTS : UINT64_MAX,
        .name = {.kind = RESULT_UNFINISHED,
                 .begun = queue_now(queue),
                 .attempt = mq_message_attempts(message),
                 .token = id_random() & TOKEN_MASK},
    };
    strcpy(result->name.id, mq_message_id(message));
    result_name_format_bucket(result->name.begun, result->bucket);
    error = open_stream(result, MQ_STDOUT);
    if (error)
        release(result);
    else
        *ret_result = result;
    return error;
}

/* After an error nothing more is kept. What was written is there, and the size in the name says how much of it counts. */
int mq_result_write(mq_result *result, enum mq_stream stream, const void *data, size_t size)
{
    const uint64_t left = result->failed ? 0 : result->most - result->name.bytes[stream];
    const size_t kept = size < left ? size : (size_t)left;
    int error = 0;
    if (kept > 0 && result->files[stream] < 0)
        error = open_stream(result, stream);
    if (kept > 0 && !error)
        error = io_write_all(result->files[stream], data, kept);
    result->failed |= error != 0;
    result->name.cut |= error || kept < size;
    result->name.bytes[stream] += error ? 0 : kept;
    return error;
}

static int finish(mq_result *result)
{
    char name[RESULT_NAME_SIZE], final[RESULT_NAME_SIZE];
    const int dir = open_bucket(result->queue, result->bucket);
    if (dir < 0)
        return dir;
    result->name.kind = RESULT_UNFINISHED;
    result_name_format(&result->name, name);
    result->name.kind = RESULT_FINISHED;
    result_name_format(&result->name, final);
    const int error = fs_rename(dir, name, dir, final);
    close(dir);
    return error;
}

int mq_result_end(mq_result *result, enum mq_outcome outcome, int exit_status, int signal)
{
    if (!result)
        return 0;
    mq_queue *queue = result->queue;
    const uint64_t size = result->name.bytes[MQ_STDOUT] + result->name.bytes[MQ_STDERR];
    result->name.outcome = outcome;
    result->name.exit_status = exit_status;
    result->name.signal = signal;
    result->name.ended = queue_now(queue);
    const int error = finish(result);
    release(result); /* after the rename: what has no lock and no final name was interrupted */
    if (!error)
        results_expire_some(queue, size);
    return error;
}
