/* Topics on disk. */
#include "route/topic.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "base/fs_network.h"
#include "base/id.h"
#include "base/io.h"
#include "format/spool_name.h"
#include "log/log.h"
#include "store/access.h"
#include "store/spool.h"

#define BINDINGS_MAX (64u << 20) /* bytes */

/* ---- reading ---------------------------------------------------------------------------------- */

int topic_is(int spool, const char *name)
{
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    close(dir);
    return 1;
}

int topic_open_dir(int spool, const char *name)
{
    const int dir = fs_open_passage(spool, name);
    if (dir < 0)
        return dir == -ENOTDIR ? -ENOENT : dir;
    const int has = fs_has(dir, TOPIC_BINDINGS);
    if (has == 1)
        return dir;
    close(dir);
    return has ? has : -ENOENT;
}

/* A lock on the directory does not reach other hosts: there a file in it is locked, which is made with the topic. */
static int open_lock(int dir)
{
    const int is_network = fs_is_network(dir);
    if (is_network <= 0)
        return is_network < 0 ? is_network : fcntl(dir, F_DUPFD_CLOEXEC, 0);
    const int lock = fs_open_lock(dir);
    return lock == -EACCES || lock == -EPERM ? -EBADF : lock;
}

/* 1: the topic is held; 0: it has lost its name. */
static int take_hold(int spool, const char *name, int dir, int held, int lock)
{
    struct fs_identity identity;
    if (flock(held, lock) < 0)
        return errno == EINTR ? 0 : -errno;
    const int error = fs_identify(dir, &identity);
    return error ? error : !fs_has_lock(held) ? 0 : fs_is_named(spool, name, &identity);
}

int topic_hold(int spool, const char *name, int lock)
{
    for (;;) {
        const int dir = topic_open_dir(spool, name);
        if (dir < 0)
            return dir;
        const int held = open_lock(dir);
        const int has = held < 0 ? (held == -ENOENT ? 0 : held) : take_hold(spool, name, dir, held, lock);
        close(dir);
        if (has == 1)
            return held;
        if (held >= 0)
            close(held);
        if (has < 0)
            return has;
    }
}

int topic_read_file(int dir, const char *name, char **ret_text, size_t *ret_size)
{
    struct stat status;
    const int file = fs_open_file(dir, name);
    if (file < 0)
        return file;
    int error = fstat(file, &status) < 0 ? fs_error() : status.st_size > BINDINGS_MAX ? -EBADMSG : 0;
    char *text = error ? NULL : malloc((size_t)status.st_size + 1);
    const ssize_t got = error ? error : text ? io_read_full(file, text, (size_t)status.st_size) : -ENOMEM;
    close(file);
    if (got < 0) {
        free(text);
        return (int)got;
    }
    text[got] = '\0';
    *ret_text = text;
    *ret_size = (size_t)got;
    return 0;
}

static int note_file(int dir, const char *name, int *ret_file)
{
    const int file = fs_open_file(dir, name);
    *ret_file = file < 0 ? -1 : file;
    return file < 0 && file != -ENOENT ? file : 0;
}

int topic_note_files(int dir, struct topic_files *ret_files)
{
    *ret_files = (struct topic_files){-1, -1};
    int error = note_file(dir, TOPIC_BINDINGS, &ret_files->bindings);
    if (!error)
        error = note_file(dir, TOPIC_SETTINGS, &ret_files->settings);
    if (error)
        topic_forget_files(ret_files);
    return error;
}

void topic_forget_files(struct topic_files *files)
{
    if (files->bindings >= 0)
        close(files->bindings);
    if (files->settings >= 0)
        close(files->settings);
    *files = (struct topic_files){-1, -1};
}

static int has_file(int spool, const char *topic, const char *name, int file)
{
    char path[MQ_QUEUE_NAME_SIZE + sizeof TOPIC_SETTINGS + 1];
    struct stat now, noted;
    snprintf(path, sizeof path, "%s/%s", topic, name);
    if (fstatat(spool, path, &now, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT || errno == ENOTDIR ? file < 0 : -errno;
    if (file < 0 || fstat(file, &noted) < 0)
        return file < 0 ? 0 : -errno;
    return now.st_dev == noted.st_dev && now.st_ino == noted.st_ino;
}

int topic_has_files(int spool, const char *name, const struct topic_files *files)
{
    const int has = has_file(spool, name, TOPIC_BINDINGS, files->bindings);
    return has == 1 ? has_file(spool, name, TOPIC_SETTINGS, files->settings) : has;
}

int topic_read_bindings(int dir, struct bindings *ret_bindings, char ret_problem[BINDINGS_PROBLEM_SIZE])
{
    char *text;
    size_t size;
    int error = topic_read_file(dir, TOPIC_BINDINGS, &text, &size);
    if (error)
        return error;
    error = bindings_parse(ret_bindings, text, size, ret_problem);
    free(text);
    return error;
}

/* ---- writing ---------------------------------------------------------------------------------- */

int topic_write_file(int dir, int feed, const char *name, const char *text, size_t size, const struct fs_guard *guard)
{
    char draft[32];
    unsigned sharing;
    snprintf(draft, sizeof draft, "new-%016llx", (unsigned long long)id_random());
    int error = access_read_topic(dir, &sharing);
    const int file = error ? error : fs_make_file(feed, draft, access_mode(sharing, ACCESS_CONFIG));
    if (file < 0)
        return file;
    error = io_write_all(file, text, size);
    if (!error)
        error = fs_sync_data(file);
    close(file);
    if (!error && guard)
        error = fs_guard_holds(guard, dir, name);
    if (!error)
        error = fs_replace(feed, draft, dir, name);
    if (error)
        (void)fs_unlink(feed, draft);
    return error ? error : fs_sync(dir);
}

int topic_open_at(const char *spool_path, const char *name, int *ret_spool)
{
    const int spool = mq_queue_name_is_valid(name) ? spool_open(spool_path, false) : -EINVAL;
    if (spool < 0)
        return spool;
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        close(spool);
    else
        *ret_spool = spool;
    return dir;
}

/* ---- bindings ---------------------------------------------------------------------------------- */

struct change {
    struct binding binding;
    bool removes, terms_too;
    int changed; /* how many */
};

static int change_text(int dir, int feed, const struct fs_guard *guard, struct change *change)
{
    struct bindings bindings = {0};
    char problem[BINDINGS_PROBLEM_SIZE], *text;
    size_t size;
    int error = topic_read_bindings(dir, &bindings, problem);
    if (!error && change->removes) {
        change->changed = (int)bindings_remove(&bindings, &change->binding, change->terms_too);
    } else if (!error) {
        change->changed = bindings_add(&bindings, &change->binding);
        change->binding.line = NULL; /* the list's now, or released */
        error = change->changed < 0 ? change->changed : 0;
    }
    if (!error && change->changed == 0) /* by an earlier call, whose sync may have failed */
        error = fs_sync(dir);
    if (!error && change->changed > 0)
        error = bindings_format(&bindings, &text, &size);
    if (!error && change->changed > 0) {
        error = topic_write_file(dir, feed, TOPIC_BINDINGS, text, size, guard);
        free(text);
    }
    bindings_release(&bindings);
    return error;
}

int topic_open_feed(int dir)
{
    const int feed = fs_open_dir(dir, TOPIC_FEED);
    return feed == -ENOENT && topic_heal(dir) == 0 ? fs_open_dir(dir, TOPIC_FEED) : feed;
}

/* Two who change bindings at once must both succeed. */
static int change_locked(int dir, struct change *change)
{
    const int feed = topic_open_feed(dir);
    if (feed < 0)
        return feed;
    struct fs_guard guard;
    const int lock = fs_lock(feed);
    int error = lock < 0 ? lock : fs_guard(lock, dir, TOPIC_BINDINGS, &guard);
    if (!error)
        error = change_text(dir, feed, &guard, change);
    if (lock >= 0)
        close(lock);
    close(feed);
    return error;
}

static int make_binding(const struct mq_binding *binding, struct binding *ret_binding)
{
    char problem[BINDINGS_PROBLEM_SIZE];
    if (binding->pattern && binding->condition_count > 0)
        return -EINVAL;
    if (binding->pattern)
        return binding_make(BINDING_KEY, binding->destination, &binding->pattern, 1, ret_binding, problem);
    const enum binding_kind kind = binding->condition_count == 0 ? BINDING_EVERYTHING
                                   : binding->any                ? BINDING_ANY
                                                                 : BINDING_ALL;
    return binding_make(kind, binding->destination, binding->conditions, binding->condition_count, ret_binding,
                        problem);
}

/* Make sure that a destination is there. A topic stays until `ret_held` is closed; -1: it is a queue or log. */
static int hold_destination(const char *spool_path, int spool, const char *name, int *ret_held)
{
    const int held = topic_hold(spool, name, LOCK_SH);
    *ret_held = held < 0 ? -1 : held;
    if (held == -EBADF) /* another user's, which this one may not lock */
        return 0;
    if (held != -ENOENT)
        return held < 0 ? held : 0;
    const int created = mq_create(spool_path, name);
    return created < 0 && !(created == -ENOTDIR && log_is_there(spool, name) == 1) ? created : 0;
}

static int change_bindings(const char *spool_path, const char *topic, const struct mq_binding *binding,
                           struct change *change)
{
    int spool;
    int error = make_binding(binding, &change->binding);
    if (error)
        return error;
    const int dir = topic_open_at(spool_path, topic, &spool);
    error = dir < 0 ? dir : 0;
    int held = -1;
    if (!error && !change->removes)
        error = hold_destination(spool_path, spool, binding->destination, &held);
    if (!error)
        error = change_locked(dir, change);
    if (held >= 0)
        close(held);
    binding_release(&change->binding);
    if (dir >= 0) {
        close(dir);
        close(spool);
    }
    return error ? error : change->changed;
}

int mq_topic_bind(const char *spool, const char *topic, const struct mq_binding *binding)
{
    if (strcmp(topic, binding->destination) == 0)
        return -ELOOP;
    return change_bindings(spool, topic, binding, &(struct change){.removes = false});
}

int mq_topic_unbind(const char *spool, const char *topic, const struct mq_binding *binding)
{
    const bool terms_too = binding->pattern || binding->condition_count > 0;
    return change_bindings(spool, topic, binding, &(struct change){.removes = true, .terms_too = terms_too});
}

int mq_topic_explain(const char *spool_path, const char *topic, char *ret_text, size_t size)
{
    struct bindings bindings = {0};
    struct route_topic read;
    char problem[BINDINGS_PROBLEM_SIZE] = "settings: not a line `KEY = VALUE` of a key and value that there are";
    int spool;
    const int dir = topic_open_at(spool_path, topic, &spool);
    if (dir < 0)
        return dir;
    int error = topic_read_config(dir, &read);
    if (!error)
        error = topic_read_bindings(dir, &bindings, problem);
    bindings_release(&bindings);
    close(dir);
    close(spool);
    if (error == -EBADMSG)
        snprintf(ret_text, size, "%s", problem);
    return error == -EBADMSG ? 1 : error;
}

/* ---- all of them ------------------------------------------------------------------------------- */

struct topics {
    int spool;
    int (*each)(const char *topic, void *context);
    void *context;
};

static int visit(void *context, const char *name, unsigned char type)
{
    const struct topics *topics = context;
    char bindings[MQ_QUEUE_NAME_SIZE + sizeof "/" TOPIC_BINDINGS];
    if (type != DT_DIR || !mq_queue_name_is_valid(name))
        return 0;
    snprintf(bindings, sizeof bindings, "%s/" TOPIC_BINDINGS, name); /* most are queues: one call has to do for them */
    return fs_has(topics->spool, bindings) == 1 ? topics->each(name, topics->context) : 0;
}

int mq_topic_list(const char *spool_path, int (*each)(const char *topic, void *context), void *context)
{
    struct topics topics = {.spool = spool_open(spool_path, false), .each = each, .context = context};
    if (topics.spool < 0)
        return topics.spool == -ENOENT ? 0 : topics.spool;
    const int stop = fs_list_at(topics.spool, ".", visit, &topics);
    close(topics.spool);
    return stop;
}
