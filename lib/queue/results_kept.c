/* Results that are kept: walks over them, and their end. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "queue/blame.h"
#include "queue/results.h"
#include "store/bucket.h"

/* ---- walks -------------------------------------------------------------------------- */

static int add_bucket(void *context, const char *name, unsigned char type)
{
    return type == DT_DIR && result_name_is_bucket(name) ? listing_add(context, name) : 0;
}

static int add_file(void *context, const char *name, unsigned char type)
{
    return type == DT_REG ? listing_add(context, name) : 0;
}

static int visit_bucket(int results, const char *bucket, results_visit_fn *visit, void *context)
{
    struct listing files = {0};
    struct result_file file = {.bucket = bucket, .dir = fs_open_dir(results, bucket)};
    if (file.dir < 0)
        return file.dir == -ENOENT ? 0 : file.dir;
    int stop = fs_list_at(file.dir, ".", add_file, &files);
    listing_sort(&files);
    for (size_t i = 0; i < files.count && stop == 0; i++) {
        file.file = listing_at(&files, i);
        if (result_name_parse(file.file, &file.name))
            stop = visit(context, &file);
    }
    listing_free(&files);
    close(file.dir);
    return stop;
}

int results_walk(int queue_dir, results_visit_fn *visit, void *context)
{
    struct listing buckets = {0};
    const int results = fs_open_dir(queue_dir, RESULT_NAME_DIR);
    if (results < 0)
        return results == -ENOENT ? 0 : results;
    int stop = fs_list_at(results, ".", add_bucket, &buckets);
    listing_sort(&buckets);
    for (size_t i = 0; i < buckets.count && stop == 0; i++)
        stop = visit_bucket(results, listing_at(&buckets, i), visit, context);
    listing_free(&buckets);
    close(results);
    return stop;
}

int mq_result_is_running(int file)
{
    if (flock(file, LOCK_SH | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? 1 : -errno;
    (void)flock(file, LOCK_UN);
    return 0;
}

int results_is_running(const struct result_file *file)
{
    const int fd = fs_open_file(file->dir, file->file);
    if (fd < 0)
        return fd == -ENOENT ? 0 : fd;
    const int running = mq_result_is_running(fd);
    close(fd);
    return running;
}

/* ---- looking ------------------------------------------------------------------------ */

struct look {
    int (*each)(const struct mq_result_entry *entry, void *context);
    void *context;
};

static uint64_t size_of(int dir, const char *name)
{
    struct stat status;
    return fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? (uint64_t)status.st_size : 0;
}

static void format_errors(const struct result_name *name, char text[RESULT_NAME_SIZE])
{
    struct result_name errors = *name;
    errors.kind = RESULT_ERRORS;
    result_name_format(&errors, text);
}

/* What no name says yet. */
static int look_at_unfinished(const struct result_file *file, struct mq_result_entry *entry)
{
    char errors[RESULT_NAME_SIZE];
    const int running = results_is_running(file);
    if (running < 0)
        return running;
    format_errors(&file->name, errors);
    entry->outcome = running ? MQ_OUTCOME_RUNNING : MQ_OUTCOME_INTERRUPTED;
    entry->ended = 0;
    entry->bytes[MQ_STDOUT] = size_of(file->dir, file->file);
    entry->bytes[MQ_STDERR] = size_of(file->dir, errors);
    return 0;
}

static int show(void *context, const struct result_file *file)
{
    const struct look *look = context;
    const struct result_name *name = &file->name;
    struct mq_result_entry entry = {
        .id = name->id,
        .attempt = name->attempt,
        .outcome = name->outcome,
        .begun = name->begun,
        .ended = name->ended,
        .exit_status = name->exit_status,
        .signal = name->signal,
        .bytes = {name->bytes[MQ_STDOUT], name->bytes[MQ_STDERR]},
        .cut = name->cut,
        .bucket = file->bucket,
        .file = file->file,
    };
    if (name->kind == RESULT_ERRORS)
        return 0;
    const int error = name->kind == RESULT_UNFINISHED ? look_at_unfinished(file, &entry) : 0;
    return error ? error : look->each(&entry, look->context);
}

int mq_results(mq_queue *queue, int (*each)(const struct mq_result_entry *entry, void *context), void *context)
{
    struct look look = {each, context};
    int error = queue_demand(queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(queue);
    return error ? error : results_walk(queue->dir, show, &look);
}

struct search {
    const struct result_name *wanted;
    char found[RESULT_NAME_SIZE];
};

static int compare(void *context, const char *file, unsigned char type)
{
    struct search *search = context;
    struct result_name name;
    if (type != DT_REG || !result_name_parse(file, &name) || name.kind == RESULT_ERRORS ||
        !result_name_is_same(&name, search->wanted))
        return 0;
    strcpy(search->found, file);
    return 1;
}

/* The command may have ended since the entry was made: then the file has another name. */
static int open_output(int dir, const struct mq_result_entry *entry, const struct result_name *name)
{
    struct search search = {.wanted = name};
    const int file = fs_open_file(dir, entry->file);
    if (file != -ENOENT || name->kind == RESULT_FINISHED)
        return file;
    const int found = fs_list_at(dir, ".", compare, &search);
    return found == 1 ? fs_open_file(dir, search.found) : found ? found : -ENOENT;
}

int mq_result_open(mq_queue *queue, const struct mq_result_entry *entry, enum mq_stream stream)
{
    struct result_name name;
    char errors[RESULT_NAME_SIZE];
    if (!result_name_is_bucket(entry->bucket) || !result_name_parse(entry->file, &name))
        return -EINVAL;
    const int dir = fs_open_dir_below(queue->dir, RESULT_NAME_DIR, entry->bucket);
    if (dir < 0)
        return dir;
    format_errors(&name, errors);
    const int file = stream == MQ_STDERR ? fs_open_file(dir, errors) : open_output(dir, entry, &name);
    close(dir);
    return file;
}

/* ---- their end ---------------------------------------------------------------------- */

/* What a file takes beside its content. It also limits how many results there are. */
#define FILE_COST 4096

/* At the end of one command out of so many, and more often of those that print much, old results are removed: up to so
   many files, which is more than have come since. */
#define LOOK_ONE_IN 64
#define SIZE_PARTS 32
#define BUDGET 512

/* Ends a walk when the budget is used up. It is positive, so it is no error. */
#define BUDGET_USED 1

struct expiry {
    const struct config *config;
    int64_t now;
    uint64_t total; /* what all results take */
    uint64_t removed, budget;
    int results;
    struct result_name last; /* the result whose first file was visited last */
    bool last_goes;
    int error; /* the first error that kept a result from being removed */
};

static uint64_t cost_of(const struct result_file *file)
{
    const struct result_name *name = &file->name;
    if (name->kind == RESULT_FINISHED)
        return FILE_COST + name->bytes[MQ_STDOUT];
    return FILE_COST + size_of(file->dir, file->file);
}

static int add_cost(void *context, const struct result_file *file)
{
    ((struct expiry *)context)->total += cost_of(file);
    return 0;
}

static bool is_over(const struct expiry *expiry, const struct result_name *name)
{
    const int64_t age = expiry->now - (name->kind == RESULT_FINISHED ? name->ended : name->begun);
    const uint64_t most = expiry->config->keep_results_size;
    return age > expiry->config->keep_results || (most && expiry->total > most);
}

/* What runs stays. */
static bool runs(struct expiry *expiry, const struct result_file *file)
{
    const int running = file->name.kind == RESULT_FINISHED ? 0 : results_is_running(file);
    blame_note(running < 0 ? running : 0, &expiry->error);
    return running != 0;
}

/* The two files of a result go together. */
static bool goes(struct expiry *expiry, const struct result_file *file)
{
    if (file->name.kind == RESULT_ERRORS && result_name_is_same(&file->name, &expiry->last))
        return expiry->last_goes;
    expiry->last = file->name;
    expiry->last_goes = is_over(expiry, &file->name) && !runs(expiry, file);
    return expiry->last_goes;
}

static int remove_old(void *context, const struct result_file *file)
{
    struct expiry *expiry = context;
    const uint64_t cost = cost_of(file);
    if (!goes(expiry, file))
        return 0;
    const int error = fs_unlink(file->dir, file->file);
    blame_note(error, &expiry->error);
    if (error && error != -ENOENT)
        return 0;
    expiry->total -= cost < expiry->total ? cost : expiry->total;
    expiry->removed += file->name.kind != RESULT_ERRORS;
    return --expiry->budget > 0 ? 0 : BUDGET_USED;
}

/* rmdir decides whether a bucket is empty; one that is used again is made again. */
static int remove_bucket(void *context, const char *name, unsigned char type)
{
    struct expiry *expiry = context;
    const int error = type == DT_DIR && result_name_is_bucket(name) ? fs_remove_dir(expiry->results, name) : 0;
    if (error != -ENOTEMPTY)
        blame_note(error, &expiry->error);
    return 0;
}

static int expire(mq_queue *queue, int64_t now, uint64_t budget, uint64_t *ret_removed)
{
    struct expiry expiry = {.config = &queue->config, .now = now, .budget = budget};
    expiry.results = fs_open_dir(queue->dir, RESULT_NAME_DIR);
    if (expiry.results < 0)
        return expiry.results == -ENOENT ? 0 : expiry.results;
    int error = results_walk(queue->dir, add_cost, &expiry);
    if (!error)
        error = results_walk(queue->dir, remove_old, &expiry);
    if (error >= 0 && (expiry.removed > 0 || budget == UINT64_MAX))
        error = fs_list_at(expiry.results, ".", remove_bucket, &expiry);
    close(expiry.results);
    *ret_removed += expiry.removed;
    return error < 0 ? error : expiry.error;
}

int results_expire(mq_queue *queue, int64_t now, uint64_t *ret_removed)
{
    return expire(queue, now, UINT64_MAX, ret_removed);
}

void results_expire_some(mq_queue *queue, uint64_t size)
{
    uint64_t removed = 0;
    const uint64_t most = queue->config.keep_results_size, share = most / SIZE_PARTS + 1,
                   chance = most ? (size + FILE_COST) % share * LOOK_ONE_IN / share : 0;
    const bool much = most && size + FILE_COST >= share;
    if (much || id_random() % LOOK_ONE_IN <= chance)
        (void)expire(queue, queue_now(queue), BUDGET, &removed);
}
