/* Who may do what with a queue. */
#include "store/access.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/id.h"
#include "format/name.h"
#include "format/work_name.h"

/* ---- modes ------------------------------------------------------------------------ */

/* The permission bits of the owner, and those of a class of users with one of the rights. */
struct bits {
    unsigned owner, look, send, all;
};

static const struct bits table[ACCESS_ENTRIES] = {
    [ACCESS_QUEUE] = {7, 5, 1, 5},   /* only the owner deletes and configures it */
    [ACCESS_CONFIG] = {6, 4, 4, 4},  /* every program has to follow it */
    [ACCESS_DIR] = {7, 5, 0, 7},     /* a user who made a bucket could list it, so senders make none */
    [ACCESS_DELAYED] = {7, 5, 1, 7}, /* senders pass through it to the inbox */
    [ACCESS_INBOX] = {7, 5, 3, 7},   /* senders can add files, and cannot list them */
    [ACCESS_WORK] = {7, 0, 3, 7},    /* a user who can read a directory can lock it */
    [ACCESS_FILE] = {6, 4, 0, 6},    [ACCESS_FIFO] = {6, 0, 0, 6},
    [ACCESS_BELL] = {6, 0, 2, 6}, /* a user who could read it could take away what others have written */
    [ACCESS_TOPIC] = {7, 1, 1, 7},   [ACCESS_DRAFTS] = {7, 0, 7, 7},
    [ACCESS_TABLES] = {7, 5, 7, 7},  [ACCESS_TABLE] = {6, 4, 4, 4},
};

static unsigned group_of(unsigned sharing)
{
    return sharing >> 3 & 7;
}

static unsigned others_of(unsigned sharing)
{
    return sharing & 7;
}

static bool is_right(unsigned digit)
{
    return digit == 0 || digit == ACCESS_LOOK || digit == ACCESS_SEND || digit == ACCESS_ALL;
}

/* The owner reaches the files of other users as a member of the group. So the group must have the rights for that. */
static bool owner_reaches_all(unsigned group, unsigned others)
{
    return others == ACCESS_ALL ? group == ACCESS_ALL : group != ACCESS_LOOK || others != ACCESS_SEND;
}

bool access_is_valid(unsigned sharing)
{
    const unsigned group = group_of(sharing), others = others_of(sharing);
    return sharing >> 6 == ACCESS_ALL && is_right(group) && is_right(others) && owner_reaches_all(group, others);
}

bool access_has_inbox(unsigned sharing)
{
    return group_of(sharing) == ACCESS_SEND || others_of(sharing) == ACCESS_SEND;
}

static unsigned bits_of(const struct bits *bits, unsigned digit)
{
    const unsigned rights[] = {[ACCESS_LOOK] = bits->look, [ACCESS_SEND] = bits->send, [ACCESS_ALL] = bits->all};
    return rights[digit & ACCESS_ALL]; /* 0 for no right */
}

static bool is_dir(enum access_entry entry)
{
    return entry != ACCESS_CONFIG && entry != ACCESS_FILE && entry != ACCESS_FIFO && entry != ACCESS_BELL &&
           entry != ACCESS_TABLE;
}

/* If only the queue's owner receives, the directories that senders write to are sticky: a file there can be removed
   only by its own owner, and by the owner of the directory, who is the owner of the queue. */
static bool is_sticky(unsigned sharing, enum access_entry entry)
{
    if (entry == ACCESS_DRAFTS || entry == ACCESS_TABLES)
        return true;
    return (entry == ACCESS_INBOX || entry == ACCESS_WORK) && access_has_inbox(sharing) &&
           group_of(sharing) != ACCESS_ALL && others_of(sharing) != ACCESS_ALL;
}

/* Whether the group gets all the permission bits of the owner. The owner of the queue needs them, as a member of the
   group, for the files of other users. The other members get no further than the directories on the way to the file let
   them. */
static bool is_the_owners_too(unsigned sharing, enum access_entry entry)
{
    return entry == ACCESS_FILE && group_of(sharing) != ACCESS_LOOK;
}

mode_t access_mode(unsigned sharing, enum access_entry entry)
{
    const struct bits *bits = &table[entry];
    if (!access_is_shared(sharing))
        return bits->owner << 6;
    unsigned mode = bits->owner << 6 | bits_of(bits, group_of(sharing)) << 3 | bits_of(bits, others_of(sharing));
    if (is_the_owners_too(sharing, entry))
        mode |= bits->owner << 3;
    if (is_dir(entry))
        mode |= S_ISGID; /* everything that is made in it gets its group */
    return is_sticky(sharing, entry) ? mode | S_ISVTX : mode;
}

/* ---- how a queue is shared --------------------------------------------------------- */

/* The digit of a class of users, from its permission bits on the queue's directory and on tmp/. */
static unsigned digit_of(unsigned queue, unsigned work)
{
    if ((work & 3) == 3)
        return work & 4 ? ACCESS_ALL : ACCESS_SEND;
    return (queue & 5) == 5 ? ACCESS_LOOK : 0;
}

static int read_mode(int queue_dir, const char *name, mode_t *ret_mode)
{
    struct stat status;
    if (fstatat(queue_dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error();
    *ret_mode = status.st_mode;
    return 0;
}

/* The bits of a class on tmp/, from its bits on the queue's directory and on a directory that senders cannot list. */
static mode_t work_by_dir(mode_t queue, mode_t dir)
{
    return (dir & 7) == 7 ? 7 : (queue & 5) == 1 && (dir & 7) == 0 ? 3 : 0;
}

/* The mode of tmp/. If a cleaner has removed it, the other directories tell what it was. */
static int read_work(int queue_dir, mode_t queue, mode_t *ret_mode)
{
    mode_t dir = 0;
    int error = read_mode(queue_dir, "tmp", ret_mode);
    if (error == -ENOENT)
        error = read_mode(queue_dir, "waiters", ret_mode);
    if (error != -ENOENT)
        return error;
    error = queue & 077 ? read_mode(queue_dir, "host", &dir) : 0;
    if (!error)
        *ret_mode = work_by_dir(queue >> 3, dir >> 3) << 3 | work_by_dir(queue, dir);
    return error;
}

/* This looks at directories that a deletion leaves in place until it has found the queue to be empty. */
int access_read(int queue_dir, unsigned *ret_sharing)
{
    struct stat queue;
    mode_t work = 0;
    if (fstat(queue_dir, &queue) < 0)
        return fs_error();
    const int error = read_work(queue_dir, queue.st_mode, &work);
    if (error)
        return error;
    *ret_sharing = ACCESS_PRIVATE | digit_of(queue.st_mode >> 3, work >> 3) << 3 | digit_of(queue.st_mode, work);
    return 0;
}

static unsigned digit_of_topic(unsigned topic, unsigned drafts)
{
    return topic & 2 ? ACCESS_ALL : drafts & 2 ? ACCESS_SEND : topic & 1 ? ACCESS_LOOK : 0;
}

/* A process that cannot look into feed/ may not do more than look. */
int access_read_topic(int topic_dir, unsigned *ret_sharing)
{
    struct stat topic;
    mode_t drafts = 0;
    int error = fstat(topic_dir, &topic) < 0 ? fs_error() : read_mode(topic_dir, "feed/tmp", &drafts);
    if (error == -ENOENT) /* a cleaner has removed it: users who may send write there, too */
        error = read_mode(topic_dir, "feed/host", &drafts);
    if (error && error != -EACCES && error != -ENOENT)
        return error;
    *ret_sharing = ACCESS_PRIVATE | digit_of_topic(topic.st_mode >> 3, drafts >> 3) << 3 |
                   digit_of_topic(topic.st_mode, drafts);
    return 0;
}

/* 1: it may; 0: it may not; a negative errno: that cannot be known. */
static int may(int queue_dir, const char *name, int bits)
{
    const int error = fs_may(queue_dir, name, bits);
    return error == 0 ? 1 : error == -EACCES || error == -EROFS ? 0 : error;
}

int access_rights(int queue_dir, unsigned *ret_rights)
{
    const char *ready = name_of_state(MQ_READY);
    int is_right = may(queue_dir, ready, R_OK | W_OK | X_OK);
    *ret_rights = ACCESS_ALL;
    if (is_right == 0) {
        is_right = may(queue_dir, ready, R_OK | X_OK);
        *ret_rights = ACCESS_LOOK;
    }
    if (is_right == 0) {
        is_right = may(queue_dir, "tmp", W_OK | X_OK);
        *ret_rights = is_right == 1 ? ACCESS_SEND : 0;
    }
    return is_right < 0 ? is_right : 0;
}

/* ---- making things ------------------------------------------------------------------ */

int access_apply(unsigned sharing, enum access_entry entry, int at, const char *name)
{
    return access_is_shared(sharing) ? fs_set_mode_at(at, name, access_mode(sharing, entry)) : 0;
}

static int make_in(int tmp, unsigned sharing, int parent, const char *name)
{
    char new_name[NAME_NEW_BUCKET_SIZE];
    name_format_new_bucket(id_random(), new_name);
    int error = fs_make_dir(tmp, new_name);
    if (error)
        return error;
    error = access_is_shared(sharing) ? access_apply(sharing, ACCESS_DIR, tmp, new_name)
                                      : fs_give_to_owner_of(tmp, new_name);
    if (!error)
        error = fs_rename_unique(tmp, new_name, parent, name);
    if (error)
        (void)fs_remove_dir(tmp, new_name);
    return error == -ENOTEMPTY ? -EEXIST : error;
}

int access_open_to_others(int dir, unsigned sharing, gid_t group, enum access_entry entry)
{
    if (!access_is_shared(sharing))
        return 0;
    const int error = group == MQ_OWN_GROUP ? 0 : fs_set_owner(dir, (uid_t)-1, group);
    return error ? error : fs_set_mode(dir, access_mode(sharing, entry));
}

int access_compare(int dir, unsigned sharing, unsigned wanted, gid_t group)
{
    struct stat status;
    if (fstat(dir, &status) < 0)
        return fs_error();
    return sharing == wanted && (group == MQ_OWN_GROUP || group == status.st_gid) ? 0 : -EEXIST;
}

int access_make_dir(int queue_dir, unsigned sharing, int parent, const char *name)
{
    const int tmp = fs_open_dir(queue_dir, "tmp");
    const int error = tmp < 0 ? tmp : make_in(tmp, sharing, parent, name);
    if (tmp >= 0)
        close(tmp);
    return error;
}
