/* Checking a queue: finding what lies in it and does not belong there. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "admin/check_group.h"
#include "admin/check_lanes.h"
#include "admin/check_sent.h"
#include "admin/finding.h"
#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "format/result_name.h"
#include "format/sent_name.h"
#include "format/spool_name.h"
#include "format/work_name.h"
#include "lane/lane.h"
#include "log/group.h"
#include "store/bucket.h"
#include "store/spool.h"

/* ---- messages ---------------------------------------------------------------------- */

static const char *name_problem(const struct check *check, const char *file, unsigned char type,
                                struct message_name *ret_name)
{
    char bucket[NAME_BUCKET_SIZE];
    if (type != DT_REG)
        return finding_type(type);
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
        return finding_report(check, place, file, problem);
    const int error = lane_is_token(&name) ? 0 : finding_in_content(check->queue, check->dir, file, &name);
    if (error == -EBADMSG)
        return finding_report(check, place, file, "empty, truncated or malformed message");
    if (error) { /* perhaps this process lacks descriptors or memory, so the file stays where it is */
        finding_tell(check, place, file, strerror(-error));
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
        return finding_report(check, place, name, "not a bucket's name");
    return type == DT_DIR ? 0 : finding_report(check, place, name, "not a directory");
}

static int check_waiters_entry(void *context, const char *name, unsigned char type)
{
    const bool hidden = name[0] == '.';
    const bool belongs = type == DT_FIFO && (name_is_waiter(name + hidden) || strcmp(name, NAME_BELL) == 0);
    return belongs ? 0 : finding_report(context, "waiters", name, "not a waiter's FIFO");
}

static int check_file_entry(struct check *check, const char *place, const char *name, unsigned char type)
{
    return type == DT_REG ? 0 : finding_report(check, place, name, "not a regular file");
}

static int check_tmp_entry(void *context, const char *name, unsigned char type)
{
    struct group_place take; /* of a group that keeps an order, it is a directory */
    const bool is_dir_of_work = type == DT_DIR &&
                                (name_is_new_bucket(name) || lane_name_is_new(name) ||
                                 sent_name_is_new_slot_dir(name) || group_name_parse_take(name, &take));
    return is_dir_of_work ? 0 : check_file_entry(context, "tmp", name, type);
}

static int check_host_entry(void *context, const char *name, unsigned char type)
{
    return check_file_entry(context, "host", name, type);
}

static int check_failures_entry(void *context, const char *name, unsigned char type)
{
    return type == DT_REG && id_is_valid(name)
               ? 0
               : finding_report(context, "failures", name, "not what a message failed of");
}

static int check_done_entry(void *context, const char *name, unsigned char type)
{
    int64_t start;
    return type == DT_DIR && name_parse_done_bucket(name, &start)
               ? 0
               : finding_report(context, "done", name, "not a bucket's name");
}

static int check_result(void *context, const char *name, unsigned char type)
{
    struct check *check = context;
    struct result_name result;
    char place[40], bucket[NAME_BUCKET_SIZE] = "";
    snprintf(place, sizeof place, RESULT_NAME_DIR "/%s", check->bucket);
    if (type == DT_REG && result_name_parse(name, &result))
        result_name_format_bucket(result.begun, bucket);
    return strcmp(bucket, check->bucket) == 0 ? 0 : finding_report(check, place, name, "not a result of this bucket");
}

static int check_results_entry(void *context, const char *name, unsigned char type)
{
    if (type != DT_DIR || !result_name_is_bucket(name))
        return finding_report(context, RESULT_NAME_DIR, name, "not a bucket's name");
    return finding_list_inside(context, name, check_result);
}

static bool may_have(const mq_queue *queue, const char *name)
{
    return layout_has_dir(name) || (name_group_part(queue->name) && strcmp(name, GROUP_CURSOR) == 0);
}

static int check_queue_entry(void *context, const char *name, unsigned char type)
{
    const struct check *check = context;
    const bool belongs = strcmp(name, "config") == 0 ? type == DT_REG : type == DT_DIR && may_have(check->queue, name);
    return belongs ? 0 : finding_report(context, "", name, "not a part of a queue");
}

static int open_part(struct check *check, const char *name)
{
    int dir = fs_open_dir(check->queue->dir, name);
    if (dir != -ENOENT)
        return dir;
    const int healed = check->repair ? spool_heal(check->queue->dir) : 0;
    finding_tell(check, "", name, "a part of the queue that is missing");
    return healed ? healed : fs_open_dir(check->queue->dir, name);
}

/* Check a directory that every queue has. If it is missing, that is a finding and no error. */
static int check_dir(struct check *check, const char *name, fs_list_fn *each)
{
    const int error = finding_list(check, open_part(check, name), each);
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

/* Check a directory that users who may only look cannot list. */
static int check_work_dir(struct check *check, const char *name, fs_list_fn *each)
{
    return check->queue->rights == ACCESS_LOOK ? 0 : check_dir(check, name, each);
}

int mq_check(mq_queue *queue, bool repair, void (*each)(const char *path, const char *problem, void *context),
             void *context)
{
    struct check check = {.queue = queue, .home = queue->dir, .repair = repair, .each = each, .context = context};
    int error = queue_demand(queue, ACCESS_LOOK);
    if (!error)
        error = queue_refresh(queue);
    if (!error)
        error = finding_list(&check, fs_open_dir(queue->dir, "."), check_queue_entry);
    for (int state = 0; state < MQ_STATES && !error; state++)
        error = check_state(&check, (enum mq_state)state);
    if (!error)
        error = check_work_dir(&check, "tmp", check_tmp_entry);
    if (!error)
        error = check_work_dir(&check, "waiters", check_waiters_entry);
    if (!error)
        error = check_dir(&check, "host", check_host_entry);
    if (!error)
        error = finding_list_later(&check, "failures", check_failures_entry);
    if (!error)
        error = finding_list_later(&check, "done", check_done_entry);
    if (!error)
        error = finding_list_later(&check, RESULT_NAME_DIR, check_results_entry);
    if (!error && name_group_part(queue->name))
        error = check_group(&check);
    if (!error)
        error = check_lanes(&check);
    if (!error)
        error = check_sent(&check);
    return error ? error : check.left ? check.left : check.found;
}
