/*
 * Making topics.
 *
 * A topic is made whole under another name, as a queue is. How it is shared is told by the modes of its directories
 * (access.h): a user who may send reads its files, writes in feed/tmp/ and counts in a table of their own; one who may
 * look reads; one with all rights changes the bindings.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/spool_name.h"
#include "route/topic.h"
#include "store/access.h"
#include "store/layout.h"
#include "store/spool.h"

struct plan {
    unsigned sharing;
    gid_t group; /* MQ_OWN_GROUP: the creator's */
};

static int make_part(int at, const char *name, unsigned sharing, enum access_entry entry)
{
    const int error = fs_make_dir(at, name);
    return error ? error : access_apply(sharing, entry, at, name);
}

static int make_feed(int dir, unsigned sharing)
{
    const int error = make_part(dir, TOPIC_FEED, sharing, ACCESS_TOPIC);
    return error ? error : fs_open_dir(dir, TOPIC_FEED);
}

/* The group is set before the mode, and everything that is made in the directory from then on gets it. */
static int open_to_others(int dir, const struct plan *plan)
{
    if (!access_is_shared(plan->sharing))
        return 0;
    const int error = plan->group == MQ_OWN_GROUP ? 0 : fs_set_owner(dir, (uid_t)-1, plan->group);
    return error ? error : fs_set_mode(dir, access_mode(plan->sharing, ACCESS_TOPIC));
}

static int make_parts(int dir, const struct plan *plan)
{
    int error = open_to_others(dir, plan);
    const int feed = error ? error : make_feed(dir, plan->sharing);
    if (feed < 0)
        return feed;
    error = make_part(feed, "tmp", plan->sharing, ACCESS_DRAFTS);
    if (!error && access_is_shared(plan->sharing)) /* else it is made when something is counted */
        error = make_part(feed, "host", plan->sharing, ACCESS_TABLES);
    if (!error)
        error = topic_write_file(dir, feed, TOPIC_BINDINGS, "", 0);
    close(feed);
    return error;
}

static int create(int spool, const char *name, const struct plan *plan)
{
    char pending[NAME_PENDING_SIZE];
    name_format_pending(NAME_NEW, name, id_random(), pending);
    int error = fs_make_dir(spool, pending);
    if (error)
        return error;
    const int dir = fs_open_dir(spool, pending);
    error = dir < 0 ? dir : make_parts(dir, plan);
    if (dir >= 0)
        close(dir);
    if (!error)
        error = fs_rename(spool, pending, spool, name);
    if (error)
        (void)spool_remove_tree(spool, pending);
    return error == -ENOTEMPTY ? -EEXIST : error;
}

/* Also if it was there: its creator may not have lived to do that. */
static int persist(int spool, const char *name)
{
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir;
    const int error = fs_sync_passage(spool, dir);
    close(dir);
    return error;
}

/* Whether the existing topic is shared as planned: 0, else -EEXIST. */
static int compare(int spool, const char *name, const struct plan *plan)
{
    struct stat status;
    unsigned sharing;
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir;
    int error = access_read_topic(dir, &sharing);
    if (!error && fstat(dir, &status) < 0)
        error = -errno;
    close(dir);
    if (error)
        return error;
    const bool has_group = plan->group == MQ_OWN_GROUP || plan->group == status.st_gid;
    return sharing == plan->sharing && has_group ? 0 : -EEXIST;
}

static int create_as_planned(const char *spool_path, const char *name, const struct plan *plan, bool compares)
{
    if (!mq_queue_name_is_valid(name) || name_is_reply(name))
        return -EINVAL;
    const int spool = spool_open(spool_path, true);
    if (spool < 0)
        return spool;
    const int is = topic_is(spool, name);
    int created = is < 0 ? is : is == 1 ? -EEXIST : create(spool, name, plan);
    created = created == 0 ? 1 : created == -EEXIST && (is || topic_is(spool, name) == 1) ? 0 : created;
    int error = created == 0 && compares ? compare(spool, name, plan) : 0;
    if (!error && created >= 0)
        error = persist(spool, name);
    close(spool);
    return error ? error : created;
}

int mq_topic_create(const char *spool, const char *name)
{
    return create_as_planned(spool, name, &(struct plan){ACCESS_PRIVATE, MQ_OWN_GROUP}, false);
}

int mq_topic_create_shared(const char *spool, const char *name, unsigned mode, gid_t group)
{
    return access_is_valid(mode) ? create_as_planned(spool, name, &(struct plan){mode, group}, true) : -EINVAL;
}
