/*
 * Checking a queue: finding what lies in it and does not belong there.
 *
 * A message may be moved between the listing and the read. So a file that is gone by then is no finding.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/lane_tokens.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/batch.h"
#include "format/decode.h"
#include "format/work_name.h"
#include "lane/lane.h"
#include "queue/aside.h"
#include "queue/blame.h"
#include "queue/queue.h"
#include "store/bucket.h"
#include "store/lane_dir.h"
#include "store/spool.h"

struct check {
    mq_queue *queue;
    bool repair;
    void (*each)(const char *path, const char *problem, void *context);
    void *context;
    int found;
    int left; /* the error, if something could not be judged or moved aside; else 0 */
    enum mq_state state;
    const char *bucket;
    char lane[LANE_KEY_SIZE];
    int dir; /* what is being listed */
};

/* ---- findings ---------------------------------------------------------------------- */

static void tell(struct check *check, const char *place, const char *name, const char *problem)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s%s", place, *place ? "/" : "", name);
    check->each(path, problem, check->context);
    check->found++;
}

static int report(struct check *check, const char *place, const char *name, const char *problem)
{
    const int error = check->repair ? aside_put(check->queue, check->dir, name) : 0;
    if (error == -ENOENT)
        return 0; /* another process has moved it, so it belonged here */
    tell(check, place, name, problem);
    if (error)
        check->left = error;
    return 0;
}

/* ---- messages ---------------------------------------------------------------------- */

static const char *type_problem(unsigned char type)
{
    switch (type) {
    case DT_DIR:
        return "a directory where only messages belong";
    case DT_LNK:
        return "a symbolic link";
    default:
        return "not a regular file";
    }
}

/* Whether a message can be read. */
static int read_message(void *context, const struct message_name *name)
{
    mq_message *message = NULL;
    const int file = dup(*(const int *)context);
    const int error = file < 0 ? -errno : decode_file(file, name, &message);
    if (!error)
        mq_message_free(message);
    else if (file >= 0)
        close(file);
    return error;
}

/* 0: the file is whole, or gone; -EBADMSG: it is not whole; any other negative errno: that cannot be known. */
static int read_content(const mq_queue *queue, int dir, const char *file_name, const struct message_name *name)
{
    int file = fs_open_file(dir, file_name);
    if (file < 0)
        return file == -ENOENT ? 0 : blame_file(queue, dir, file_name, file);
    const int error = name->count == 1 ? read_message(&file, name) : batch_walk(file, name, read_message, &file);
    close(file);
    return error;
}

static const char *name_problem(const struct check *check, const char *file, unsigned char type,
                                struct message_name *ret_name)
{
    char bucket[NAME_BUCKET_SIZE];
    if (type != DT_REG)
        return type_problem(type);
    if (!name_parse(check->state, file, ret_name))
        return "not a message's name";
    name_format_bucket(check->state, ret_name, bucket);
    if (strcmp(bucket, check->bucket) != 0 && strcmp(check->bucket, NAME_RESERVE_BUCKET) != 0)
        return "in a bucket that is not its own";
    return NULL;
}

static int check_message(void *context, const char *file, unsigned char type)
{
    struct check *check = context;
    struct message_name name;
    char place[64];
    snprintf(place, sizeof place, "%s/%s", name_of_state(check->state), check->bucket);
    const char *problem = name_problem(check, file, type, &name);
    if (problem)
        return report(check, place, file, problem);
    const int error = lane_is_token(&name) ? 0 : read_content(check->queue, check->dir, file, &name);
    if (error == -EBADMSG)
        return report(check, place, file, "empty, truncated or malformed message");
    if (error) { /* perhaps this process lacks descriptors or memory, so the file stays where it is */
        tell(check, place, file, strerror(-error));
        check->left = error;
    }
    return 0;
}

/* ---- directories -------------------------------------------------------------------- */

static int check_bucket(void *context, struct bucket *bucket)
{
    struct check *check = context;
    check->bucket = bucket->name;
    check->dir = bucket->dir;
    return fs_list(bucket->dir, check_message, check);
}

static int check_state_entry(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    const char *place = name_of_state(check->state);
    if (!name_is_bucket(check->state, name))
        return report(check, place, name, "not a bucket's name");
    return type == DT_DIR ? 0 : report(check, place, name, "not a directory");
}

static int check_waiters_entry(void *context, const char *name, unsigned char type)
{
    const bool hidden = name[0] == '.';
    const bool belongs = type == DT_FIFO && (name_is_waiter(name + hidden) || strcmp(name, NAME_BELL) == 0);
    return belongs ? 0 : report(context, "waiters", name, "not a waiter's FIFO");
}

static int check_file_entry(struct check *check, const char *place, const char *name, unsigned char type)
{
    return type == DT_REG ? 0 : report(check, place, name, "not a regular file");
}

static int check_tmp_entry(void *context, const char *name, unsigned char type)
{
    return type == DT_DIR && (name_is_new_bucket(name) || lane_name_is_new(name))
               ? 0
               : check_file_entry(context, "tmp", name, type);
}

static int check_host_entry(void *context, const char *name, unsigned char type)
{
    return check_file_entry(context, "host", name, type);
}

static int check_failures_entry(void *context, const char *name, unsigned char type)
{
    return type == DT_REG && id_is_valid(name) ? 0 : report(context, "failures", name, "not what a message failed of");
}

static int check_done_entry(void *context, const char *name, unsigned char type)
{
    int64_t start;
    return type == DT_DIR && name_parse_done_bucket(name, &start)
               ? 0
               : report(context, "done", name, "not a bucket's name");
}

static int check_queue_entry(void *context, const char *name, unsigned char type)
{
    const bool belongs = strcmp(name, "config") == 0 ? type == DT_REG : type == DT_DIR && layout_has_dir(name);
    return belongs ? 0 : report(context, "", name, "not a part of a queue");
}

static int open_part(struct check *check, const char *name)
{
    int dir = fs_open_dir(check->queue->dir, name);
    if (dir != -ENOENT)
        return dir;
    const int healed = check->repair ? spool_heal(check->queue->dir) : 0;
    tell(check, "", name, "a part of the queue that is missing");
    return healed ? healed : fs_open_dir(check->queue->dir, name);
}

static int list_dir(struct check *check, int dir, fs_list_fn *each)
{
    if (dir < 0)
        return dir;
    check->dir = dir;
    const int error = fs_list_at(dir, ".", each, check);
    close(dir);
    return error;
}

/* Check a directory that every queue has. If it is missing, that is a finding and no error. */
static int check_dir(struct check *check, const char *name, fs_list_fn *each)
{
    const int error = list_dir(check, open_part(check, name), each);
    return error == -ENOENT ? 0 : error;
}

static int check_state(struct check *check, enum mq_state state)
{
    check->state = state;
    int error = check_dir(check, name_of_state(state), check_state_entry);
    if (!error)
        error = bucket_each(check->queue->dir, state, check_bucket, check);
    return error == -ENOENT ? 0 : error;
}

/* Check a directory that is made when it is first needed. */
static int check_later_dir(struct check *check, const char *name, fs_list_fn *each)
{
    const int error = list_dir(check, fs_open_dir(check->queue->dir, name), each);
    return error == -ENOENT ? 0 : error;
}

/* Check a directory that users who may only look cannot list. */
static int check_work_dir(struct check *check, const char *name, fs_list_fn *each)
{
    return check->queue->rights == ACCESS_LOOK ? 0 : check_dir(check, name, each);
}

/* ---- lanes -------------------------------------------------------------------------- */

/* Where in a lane the check is. */
static const char *place_in_lane(const struct check *check, char place[64])
{
    snprintf(place, 64, "lanes/%s/q%s%s", check->lane, check->bucket[0] ? "/" : "", check->bucket);
    return place;
}

static int check_waiting(void *context, const char *file, unsigned char type)
{
    struct check *check = context;
    struct message_name name;
    char place[64];
    if (type == DT_DIR && !check->bucket[0] && lane_name_is_bucket(file))
        return 0;
    place_in_lane(check, place);
    if (type != DT_REG)
        return report(check, place, file, type_problem(type));
    if (!name_parse(MQ_READY, file, &name) || lane_is_token(&name))
        return report(check, place, file, "not a message's name");
    const int error = read_content(check->queue, check->dir, file, &name);
    return error == -EBADMSG ? report(check, place, file, "empty, truncated or malformed message") : 0;
}

static int check_lane_bucket(void *context, const char *bucket, unsigned char type)
{
    struct check *check = context;
    if (type != DT_DIR || !lane_name_is_bucket(bucket))
        return 0;
    const int outer = check->dir, dir = fs_open_dir(outer, bucket);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    check->bucket = bucket;
    const int error = list_dir(check, dir, check_waiting);
    check->bucket = "";
    check->dir = outer;
    return error;
}

static int check_lane_entry(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    char place[64], lane[NAME_LANE_SIZE];
    if (strcmp(name, "q") == 0 ? type == DT_DIR : type == DT_REG && lane_name_parse_gen(check->lane, name, lane))
        return 0;
    snprintf(place, sizeof place, "lanes/%s", check->lane);
    return report(check, place, name, "not a part of a lane");
}

/* A lane that is being closed is half gone for a moment. Only one that stays so is a finding. */
#define HALF_LOOKS 5
#define HALF_PAUSE 5 /* milliseconds */

static int check_half_lane(struct check *check, const char *key)
{
    for (int looks = 0; looks < HALF_LOOKS; looks++) {
        struct lane_dir lane;
        const int opened = lane_dir_open(check->queue->dir, key, &lane);
        if (opened != 1)
            return opened;
        const bool is_half = lane.queue < 0, last = looks == HALF_LOOKS - 1;
        const int cleared = is_half && last && check->repair ? lane_dir_clear(check->queue->dir, key, &lane) : 0;
        lane_dir_close(&lane);
        if (cleared || !is_half)
            return cleared;
        (void)poll(NULL, 0, HALF_PAUSE);
    }
    tell(check, "lanes", key, "a lane that is half made or half gone");
    return 0;
}

static int check_lane(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    struct lane_dir lane;
    if (!lane_name_is_key(name))
        return report(check, "lanes", name, "not a lane's name");
    if (type != DT_DIR)
        return report(check, "lanes", name, "not a directory");
    const int outer = check->dir, opened = lane_dir_open(check->queue->dir, name, &lane);
    if (opened != 1)
        return opened;
    snprintf(check->lane, sizeof check->lane, "%s", name);
    check->bucket = "";
    check->dir = lane.dir;
    int error = fs_list_at(lane.dir, ".", check_lane_entry, check);
    if (!error && lane.queue < 0)
        error = check_half_lane(check, name);
    check->dir = lane.queue;
    if (!error && lane.queue >= 0)
        error = fs_list_at(lane.queue, ".", check_waiting, check);
    if (!error && lane.queue >= 0)
        error = fs_list_at(lane.queue, ".", check_lane_bucket, check);
    lane_dir_close(&lane);
    check->dir = outer;
    return error;
}

static int report_missing(void *context, const char *generation)
{
    struct check *check = context;
    char key[LANE_KEY_SIZE];
    lane_name_key_of(generation, key);
    const int revived = check->repair ? lane_revive(check->queue, generation) : 1;
    if (revived == 1)
        tell(check, "lanes", key, "a lane without a token");
    return revived < 0 ? revived : 0;
}

/* The lane of a token, unless the token is of an earlier one. Tokens whose head is settled see to themselves. */
static int has_lane(mq_queue *queue, const char *generation)
{
    char key[LANE_KEY_SIZE];
    struct lane_dir lane;
    lane_name_key_of(generation, key);
    const int opened = lane_dir_open(queue->dir, key, &lane),
              is = opened == 1 ? lane_dir_is(&lane, generation) : opened;
    if (opened == 1)
        lane_dir_close(&lane);
    return is;
}

static int report_token(struct check *check, const struct lane_token *token, const char *problem)
{
    char place[64];
    const int dir = bucket_open(check->queue->dir, token->state, token->bucket);
    if (dir < 0)
        return bucket_is_missing(dir) ? 0 : dir;
    snprintf(place, sizeof place, "%s/%s", name_of_state(token->state), token->bucket);
    check->dir = dir;
    const int has = fs_has(dir, token->file), error = has == 1 ? report(check, place, token->file, problem) : has;
    close(dir);
    return error;
}

/* Two names that are there at the same time, as the second look at the first one shows, are no token that moves. */
static int is_twice(mq_queue *queue, const struct lane_token *one, const struct lane_token *other)
{
    if (strcmp(one->lane, other->lane) != 0)
        return 0;
    int there = lane_token_is_there(queue, one);
    if (there == 1)
        there = lane_token_is_there(queue, other);
    return there == 1 ? lane_token_is_there(queue, one) : there;
}

static int check_tokens(struct check *check, const struct lane_tokens *tokens)
{
    int error = 0;
    for (size_t i = 0; i < tokens->count && !error; i++) {
        const struct lane_token *token = &tokens->all[i];
        const int has = token->settled ? 1 : has_lane(check->queue, token->lane);
        const int twice = has == 1 && i > 0 ? is_twice(check->queue, token - 1, token) : 0;
        error = has < 0 ? has : twice < 0 ? twice : 0;
        if (has == 0)
            error = report_token(check, token, "a token without a lane");
        else if (twice == 1)
            error = report_token(check, token, "a second token of a lane");
    }
    return error;
}

static int check_lanes(struct check *check)
{
    struct lane_tokens tokens = {0};
    const int lanes = fs_open_dir(check->queue->dir, "lanes");
    if (lanes < 0)
        return lanes == -ENOENT ? 0 : lanes;
    int error = list_dir(check, lanes, check_lane);
    if (!error)
        error = lane_tokens_read(check->queue, &tokens);
    if (!error)
        error = check_tokens(check, &tokens);
    lane_tokens_free(&tokens);
    return error ? error : lane_tokens_find_missing(check->queue, report_missing, check);
}

int mq_check(mq_queue *queue, bool repair, void (*each)(const char *path, const char *problem, void *context),
             void *context)
{
    struct check check = {.queue = queue, .repair = repair, .each = each, .context = context};
    int error = queue_demand(queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(queue);
    if (!error)
        error = list_dir(&check, fs_open_dir(queue->dir, "."), check_queue_entry);
    for (int state = 0; state < MQ_STATES && !error; state++)
        error = check_state(&check, (enum mq_state)state);
    if (!error)
        error = check_work_dir(&check, "tmp", check_tmp_entry);
    if (!error)
        error = check_work_dir(&check, "waiters", check_waiters_entry);
    if (!error)
        error = check_dir(&check, "host", check_host_entry);
    if (!error)
        error = check_later_dir(&check, "failures", check_failures_entry);
    if (!error)
        error = check_later_dir(&check, "done", check_done_entry);
    if (!error)
        error = check_lanes(&check);
    return error ? error : check.left ? check.left : check.found;
}
