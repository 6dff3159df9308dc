/* What a group that keeps an order takes of its log, on the way into the lanes. */
#include "log/group_feed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "base/io.h"
#include "format/batch.h"
#include "format/decode.h"
#include "format/log_entry.h"
#include "format/shared_headers.h"
#include "lane/lane.h"
#include "lane/lane_of.h"
#include "log/group_take.h"
#include "queue/aside.h"
#include "queue/depth.h"
#include "queue/move.h"
#include "store/adopt.h"
#include "store/lane_dir.h"
#include "store/layout.h"

/* The entry itself in the directory, from which the links of its messages are made. */
#define ENTRY "entry"

#define TRIES 100

/* How many messages wait for others at most, if max-depth says nothing, before the group takes more of the log. */
#define READ_AHEAD 10000

#define CHUNK 65536

/* ---- making ----------------------------------------------------------------------------- */

struct filling {
    mq_queue *queue;
    int tmp, dir, file;
    bool shares, has_lane; /* all messages share their headers, and so the lane */
    char lane[LANE_KEY_SIZE];
    struct message_name rest; /* those that have no link yet */
};

/* Whether the link is of the file that was looked at: it may have been replaced by an equal one, of other messages. */
static int is_of_file(int dir, const char *name, int file)
{
    struct stat linked, seen;
    if (fstatat(dir, name, &linked, AT_SYMLINK_NOFOLLOW) < 0 || fstat(file, &seen) < 0)
        return fs_error();
    return linked.st_dev == seen.st_dev && linked.st_ino == seen.st_ino;
}

/* 1; 0: it belongs in none, also if it cannot be read, which whoever claims it finds. */
static int find_lane(struct filling *filling, const struct message_name *one)
{
    mq_message *message;
    if (filling->shares && filling->has_lane)
        return 1;
    const int file = fcntl(filling->file, F_DUPFD_CLOEXEC, 0);
    if (file < 0)
        return -errno;
    const int error = decode_file(file, one, &message);
    if (error) {
        close(file);
        return error == -EBADMSG ? 0 : error;
    }
    filling->has_lane = lane_of(filling->queue, message, filling->lane) == 1;
    mq_message_free(message);
    return filling->has_lane;
}

static int copy_bytes(int from, uint64_t at, uint64_t end, int to)
{
    char text[CHUNK];
    while (at < end) {
        const ssize_t got = io_read_at(from, text, end - at < sizeof text ? (size_t)(end - at) : sizeof text, at);
        const size_t skip = at == 0 && got > 0 ? log_entry_skip_count(text, (size_t)got) : 0;
        const int error = got > 0 ? io_write_all(to, text + skip, (size_t)got - skip) : got < 0 ? (int)got : -EBADMSG;
        if (error)
            return error;
        at += (uint64_t)got;
    }
    return 0;
}

/* A message whose name would be too long for a token, if it said where in a file it lies, gets a file of its own. */
static int copy_out(const struct filling *filling, const struct message_name *one, const char *name)
{
    struct stat status;
    if (fstat(filling->file, &status) < 0)
        return fs_error();
    const int to = fs_make_file(filling->dir, name, FS_FILE_MODE);
    if (to < 0)
        return to;
    const uint64_t length = (uint64_t)name_bytes_in(one, status.st_size);
    int error = copy_bytes(filling->file, one->offset, one->offset + length, to);
    if (!error && futimens(to, (struct timespec[]){{.tv_nsec = UTIME_OMIT}, status.st_mtim}) < 0)
        error = -errno;
    if (!error)
        error = fs_give_to_owner_of(filling->dir, name);
    if (!error && filling->queue->config.durable)
        error = fs_sync(to);
    close(to);
    return error;
}

/* A file has only so many links: then the others are of a copy. */
static int link_more(const struct filling *filling, const char *name)
{
    int error = fs_link(filling->dir, ENTRY, filling->dir, name);
    if (error != -EMLINK)
        return error;
    error = fs_unlink(filling->dir, ENTRY);
    if (!error)
        error = adopt_copy(filling->queue->dir, filling->queue->sharing, filling->file, filling->dir, ENTRY);
    return error ? error : fs_link(filling->dir, ENTRY, filling->dir, name);
}

static void step(struct message_name *rest, const struct message_name *one)
{
    char id[MQ_ID_SIZE];
    batch_step_id(one->id, 1, id);
    strcpy(rest->id, id);
    rest->position = one->position + 1;
    rest->offset = one->offset + one->length;
    rest->count--;
}

static int add(void *context, const struct message_name *one)
{
    struct filling *filling = context;
    struct message_name link = *one;
    char text[NAME_SIZE];
    const int is = find_lane(filling, one);
    if (is < 0)
        return is;
    const bool is_long = is && (one->offset || one->length) && strlen(one->id) >= ID_UUID_SIZE;
    if (is) {
        lane_name_make(filling->lane, 0, link.lane);
        link.head = link.position;
    }
    if (is_long)
        link.offset = link.length = 0;
    name_format(MQ_READY, &link, text);
    const int error = is_long ? copy_out(filling, one, text) : link_more(filling, text);
    if (!error)
        step(&filling->rest, one);
    return error;
}

/* What cannot be taken apart is one link, under the name of all messages that are left. */
static int add_rest(struct filling *filling)
{
    char text[NAME_SIZE];
    name_format(MQ_READY, &filling->rest, text);
    return link_more(filling, text);
}

static int fill(struct filling *filling, const struct group_feed_entry *entry)
{
    char text[LOG_ENTRY_HEAD + 64];
    int error = fs_link_unique(entry->log, entry->path, filling->dir, ENTRY);
    const int is = error ? error : is_of_file(filling->dir, ENTRY, entry->file);
    if (is != 1)
        return is < 0 ? is : -ESTALE;
    error = group_take_name(entry->is_damaged ? -1 : entry->file, entry->place, &filling->rest);
    const ssize_t got = error ? error : io_read_at(entry->file, text, sizeof text, 0);
    if (got < 0)
        return (int)got;
    filling->shares = shared_headers_begins(text, (size_t)got);
    const struct message_name all = filling->rest;
    error = entry->is_damaged ? -EBADMSG : batch_walk(entry->file, &all, add, filling);
    if (error == -EBADMSG)
        error = add_rest(filling);
    return error ? error : fs_unlink(filling->dir, ENTRY);
}

int group_feed_make(mq_queue *queue, int tmp, const char *take, const struct group_feed_entry *entry)
{
    struct filling filling = {.queue = queue, .tmp = tmp, .file = entry->file};
    int error = fs_make_dir(tmp, take);
    if (error)
        return error;
    filling.dir = fs_open_dir(tmp, take);
    error = filling.dir < 0 ? filling.dir : fs_give_to_owner_of(tmp, take);
    if (!error)
        error = fill(&filling, entry);
    if (filling.dir >= 0)
        close(filling.dir);
    if (error)
        (void)spool_remove_tree(tmp, take);
    return error;
}

/* ---- finishing ---------------------------------------------------------------------------- */

struct bringing {
    int dir;
    const char *file;
};

/* -ESTALE: another process has moved it. */
static int rename_in(void *context, int dir, const char *file)
{
    const struct bringing *bringing = context;
    const int error = fs_rename(bringing->dir, bringing->file, dir, file);
    return error == -ENOENT && fs_has(bringing->dir, bringing->file) == 0 ? -ESTALE : error;
}

static int bring_into_lane(mq_queue *queue, int dir, const char *file, const struct message_name *link)
{
    struct message_name name = *link;
    struct stat status;
    char key[LANE_KEY_SIZE];
    int there;
    lane_name_key_of(link->lane, key);
    name.lane[0] = '\0';
    name.head = 0;
    if (fstatat(dir, file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    const int error = lane_put(queue, key, &name, true, rename_in, &(struct bringing){dir, file}, &there);
    if (error)
        return error == -ESTALE ? 0 : error;
    close(there);
    move_count_sent(queue, MQ_READY, &name, name_bytes_in(&name, status.st_size));
    return 1;
}

/* These very messages may wait there, since the group was moved back. */
static int bring(mq_queue *queue, int dir, const char *file)
{
    struct message_name name;
    if (!name_parse(MQ_READY, file, &name))
        return 0;
    int done = lane_is_token(&name) ? bring_into_lane(queue, dir, file, &name)
                                    : move_in(queue, dir, file, MQ_READY, &name, NULL);
    if (done == -EEXIST)
        done = fs_unlink(dir, file);
    return done == -ENOENT && fs_has(dir, file) == 0 ? 0 : done < 0 ? done : 0;
}

/* In the order of their positions. What does not belong there must not keep the group. */
static int bring_all(mq_queue *queue, int dir, struct listing *files, struct listing *others)
{
    int error = bucket_read_all(dir, MQ_READY, files, others);
    for (size_t i = 0; i < files->count && !error; i++)
        error = bring(queue, dir, listing_at(files, i));
    for (size_t i = 0; i < others->count && !error; i++) {
        error = aside_put(queue->dir, dir, listing_at(others, i));
        error = error == -ENOENT ? 0 : error;
    }
    return error;
}

int group_feed_finish(mq_queue *queue, int tmp, const char *take)
{
    struct listing files = {0}, others = {0};
    int error = -ENOTEMPTY, tries = 0;
    for (; tries < TRIES && error == -ENOTEMPTY; tries++) {
        const int dir = fs_open_dir(tmp, take);
        if (dir == -ENOENT)
            break;
        error = dir < 0 ? dir : bring_all(queue, dir, &files, &others);
        if (dir >= 0)
            close(dir);
        if (!error)
            error = fs_remove_dir(tmp, take);
        error = error == -ENOENT && fs_has(tmp, take) == 0 ? 0 : error;
    }
    listing_free(&files);
    listing_free(&others);
    if (tries < TRIES && error == -ENOTEMPTY) /* it is gone */
        return tries > 0;
    return error == -ENOTEMPTY ? -EBUSY : error ? error : 1;
}

static int add_count(void *context, const char *file, unsigned char type)
{
    struct message_name name;
    (void)type;
    *(uint64_t *)context += name_parse(MQ_READY, file, &name) ? name.count : 0;
    return 0;
}

int group_feed_count(int dir, const char *take, uint64_t *ret_count)
{
    uint64_t count = 0;
    const int error = fs_list_at(dir, take, add_count, &count);
    if (!error)
        *ret_count = count;
    return error;
}

/* ---- how far ahead ----------------------------------------------------------------------------- */

static int stop_at_first(void *context, const struct lane_file *file)
{
    (void)context;
    (void)file;
    return 1;
}

int group_feed_has_room(mq_queue *queue)
{
    const struct depth_limits limits = {.messages = queue->config.max_depth ? (int64_t)queue->config.max_depth
                                                                            : READ_AHEAD};
    struct depth_excess excess;
    if (queue->config.order == CONFIG_STRICT) {
        const int any = lane_dir_walk_all(queue->dir, stop_at_first, NULL);
        return any < 0 ? any : !any;
    }
    const int error = depth_find_excess(queue, &limits, &(struct depth_own){.state = MQ_READY}, false, &excess);
    return error ? error : excess.messages == 0;
}
