/*
 * Making topics.
 *
 * A topic is made whole under another name, as a queue is. How it is shared is told by the modes of its directories
 * (access.h): a user who may send reads its files, writes in feed/tmp/ and counts in a table of their own; one who may
 * look reads; one with all rights changes the bindings.
 */
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_hosts.h"
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
    if (error)
        return error == -EEXIST ? 0 : error;
    return access_is_shared(sharing) ? access_apply(sharing, entry, at, name) : fs_give_to_owner_of(at, name);
}

/* Make the feed and its parts, unless they exist, and open it. */
static int make_feed(int dir, unsigned sharing)
{
    int error = make_part(dir, TOPIC_FEED, sharing, ACCESS_TOPIC);
    const int feed = error ? error : fs_open_dir(dir, TOPIC_FEED);
    if (feed < 0)
        return feed;
    error = make_part(feed, "tmp", sharing, ACCESS_DRAFTS);
    if (!error && access_is_shared(sharing)) /* else it is made when something is counted */
        error = make_part(feed, "host", sharing, ACCESS_TABLES);
    if (error)
        close(feed);
    return error ? error : feed;
}

/* Those who may not make the file that keeps other hosts out may lock it (topic_hold). */
static int make_lock(int dir)
{
    const int lock = fs_open_lock(dir);
    if (lock >= 0)
        close(lock);
    return lock < 0 ? lock : 0;
}

static int fill(int dir, const void *context)
{
    const struct plan *plan = context;
    int error = access_open_to_others(dir, plan->sharing, plan->group, ACCESS_TOPIC);
    const int feed = error ? error : make_feed(dir, plan->sharing);
    if (feed < 0)
        return feed;
    error = topic_write_file(dir, feed, TOPIC_BINDINGS, "", 0, NULL);
    close(feed);
    return error ? error : make_lock(dir);
}

static int heal(int dir, unsigned sharing)
{
    const int feed = make_feed(dir, sharing);
    if (feed >= 0)
        close(feed);
    return feed < 0 ? feed : 0;
}

int topic_heal(int dir)
{
    unsigned sharing;
    const int error = access_read_topic(dir, &sharing);
    return error ? error : heal(dir, sharing);
}

/* Whether nothing is left that tells a topic whose users may send from one whose users may look. */
static bool has_lost_its_rights(int dir)
{
    return fs_has(dir, TOPIC_FEED "/tmp") == 0 && fs_has(dir, TOPIC_FEED "/host") == 0;
}

/* What another user's topic lacks is left to its owner. */
static int heal_existing(int spool, const char *name, const struct plan *plan, bool compares)
{
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir;
    const int error = compares && has_lost_its_rights(dir) ? heal(dir, plan->sharing) : topic_heal(dir);
    close(dir);
    return error == -EACCES || error == -EPERM || error == -EROFS ? 0 : error;
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
    unsigned sharing;
    const int dir = topic_open_dir(spool, name);
    if (dir < 0)
        return dir;
    int error = access_read_topic(dir, &sharing);
    if (!error)
        error = access_compare(dir, sharing, plan->sharing, plan->group);
    close(dir);
    return error;
}

static int create_as_planned(const char *spool_path, const char *name, const struct plan *plan, bool compares)
{
    if (!mq_queue_name_is_valid(name) || name_is_reply(name))
        return -EINVAL;
    const int spool = spool_open(spool_path, true);
    if (spool < 0)
        return spool;
    const int is = topic_is(spool, name);
    int created = is < 0 ? is : is == 1 ? -EEXIST : spool_make_whole(spool, name, fill, plan);
    created = created == 0 ? 1 : created == -EEXIST && (is || topic_is(spool, name) == 1) ? 0 : created;
    int error = created == 0 ? heal_existing(spool, name, plan, compares) : 0;
    if (!error && created == 0 && compares)
        error = compare(spool, name, plan);
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
