/* The outbox of a spool: its directory, and finding and counting what is in it. */
#include "store/outbox_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/fs_hosts.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "store/lane_dir.h"
#include "store/layout.h"

/* How often a transaction may be renamed while it is looked for: it is extended now and then, and decided once. */
#define LOOKS 3

/* ---- the directory -------------------------------------------------------------------------- */

/* As open to others as the spool: a user who may make a queue there may have a transaction. */
static int open_to_others(int dir, const void *spool)
{
    struct stat spool_status, status;
    if (fstat(*(const int *)spool, &spool_status) < 0 || fstat(dir, &status) < 0)
        return fs_error();
    if ((spool_status.st_mode & 077) == 0)
        return 0;
    int error = spool_status.st_gid == status.st_gid ? 0 : fs_set_owner(dir, (uid_t)-1, spool_status.st_gid);
    if (!error || error == -EPERM)
        error = fs_set_mode(dir, spool_status.st_mode & (07777 & ~S_ISUID));
    return error;
}

int outbox_open(int spool, bool make_it)
{
    const int outbox = fs_open_dir(spool, OUTBOX);
    if (outbox != -ENOENT || !make_it)
        return outbox;
    const int error = spool_make_whole(spool, OUTBOX, open_to_others, &spool);
    return error && error != -EEXIST ? error : fs_open_dir(spool, OUTBOX);
}

/* The directory that is made for it is named as a transaction that holds nothing and was aborted: whoever finishes
   transactions removes it. */
int outbox_find_time(int outbox, unsigned long *type, int64_t *ret_now)
{
    char id[MQ_TX_SIZE], name[OUTBOX_NAME_SIZE];
    outbox_format_id(id_random(), id);
    outbox_format(OUTBOX_ABORTED, id, 0, name);
    return fs_find_time(outbox, type, name, ret_now);
}

int outbox_find_deadline(int outbox, unsigned long *type, int64_t timeout, int64_t *ret_deadline)
{
    int64_t now;
    const int error = outbox_find_time(outbox, type, &now);
    if (!error)
        *ret_deadline = name_time_after(now, timeout);
    return error;
}

/* ---- looking -------------------------------------------------------------------------------- */

struct walk {
    int outbox;
    int (*each)(void *context, const struct outbox_place *place);
    void *context;
};

static int visit(void *context, const char *name, unsigned char type)
{
    const struct walk *walk = context;
    struct outbox_place place;
    struct stat status;
    if (type != DT_DIR || !outbox_parse(name, &place.state, place.id, &place.deadline))
        return 0;
    if (fstatat(walk->outbox, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    place.owner = status.st_uid;
    place.since = clock_of(&status.st_ctim);
    place.dir = -1;
    place.is_synced = false;
    strcpy(place.name, name);
    return walk->each(walk->context, &place);
}

int outbox_walk(int outbox, int (*each)(void *context, const struct outbox_place *place), void *context)
{
    return fs_list_at(outbox, ".", visit, &(struct walk){outbox, each, context});
}

struct search {
    const char *id;
    struct outbox_place *place;
};

static int compare(void *context, const struct outbox_place *place)
{
    const struct search *search = context;
    if (strcmp(search->id, place->id) != 0)
        return 0;
    *search->place = *place;
    return 1;
}

int outbox_find(int outbox, const char *id, struct outbox_place *ret_place)
{
    int found = 0;
    for (int looks = 0; looks < LOOKS && found == 0; looks++)
        found = outbox_walk(outbox, compare, &(struct search){id, ret_place});
    return found;
}

/* ---- counting ------------------------------------------------------------------------------- */

struct count {
    int outbox, queue_dir, dir; /* dir: of the transaction */
    const char *queue;
    bool shared;
    uid_t owner; /* of the queue */
    struct outbox_hidden hidden;
    outbox_claim_fn *each; /* NULL: only count */
    void *context;
};

/* A token's messages lie in the lane, and some of the head's file may be done. */
static void count_token(struct count *count, const struct message_name *token)
{
    struct outbox_hidden *hidden = &count->hidden;
    const uint32_t done = token->of ? token->offset : 0;
    *(token->due ? &hidden->delayed : &hidden->ready) += token->skipped + token->count;
    hidden->bytes -= done;
    hidden->waiting += done + lane_dir_size(count->queue_dir, token);
}

static int count_entry(void *context, const char *file, unsigned char type)
{
    struct count *count = context;
    struct outbox_entry entry;
    struct stat status;
    (void)type;
    if (!outbox_parse_entry(file, &entry) || strcmp(entry.queue, count->queue) != 0 ||
        (!outbox_is_input(entry.kind) && entry.kind != OUTBOX_DEAD))
        return 0;
    if (fstatat(count->dir, file, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fs_error_unless_gone();
    *(entry.kind == OUTBOX_DEAD ? &count->hidden.dead : &count->hidden.claims) += entry.name.count;
    count->hidden.bytes += (uint64_t)status.st_size;
    if (entry.name.lane[0])
        count_token(count, &entry.name);
    return count->each && outbox_is_input(entry.kind) ? count->each(count->context, &entry.name) : 0;
}

static int count_dir(struct count *count, const char *name)
{
    count->dir = fs_open_dir(count->outbox, name);
    if (count->dir < 0)
        return count->dir;
    const int error = fs_list(count->dir, count_entry, count);
    close(count->dir);
    return error;
}

/* One that gets another name meanwhile is looked for under that. */
static int count_in(void *context, const struct outbox_place *place)
{
    struct count *count = context;
    struct outbox_place now = *place;
    const struct outbox_hidden before = count->hidden;
    if (!count->shared && place->owner != count->owner && place->owner != 0)
        return 0;
    int error = count_dir(count, now.name);
    while (error == -ENOENT && (error = outbox_find(count->outbox, place->id, &now)) == 1) {
        count->hidden = before;
        error = count_dir(count, now.name);
    }
    count->hidden.unseen |= error == -EACCES && count->shared;
    return error == -EACCES && place->owner != geteuid() ? 0 : error;
}

static int walk_hidden(int spool, int queue_dir, struct count *count)
{
    struct stat status;
    if (fstat(queue_dir, &status) < 0)
        return fs_error();
    count->owner = status.st_uid;
    count->queue_dir = queue_dir;
    count->outbox = outbox_open(spool, false);
    if (count->outbox < 0)
        return count->outbox == -ENOENT ? 0 : count->outbox;
    const int error = outbox_walk(count->outbox, count_in, count);
    close(count->outbox);
    return error;
}

int outbox_count_hidden(int spool, const char *queue, int queue_dir, bool shared, struct outbox_hidden *ret_hidden)
{
    struct count count = {.queue = queue, .shared = shared};
    const int error = walk_hidden(spool, queue_dir, &count);
    if (!error)
        *ret_hidden = count.hidden;
    return error;
}

int outbox_each_claim(int spool, const char *queue, int queue_dir, bool shared, outbox_claim_fn *each, void *context)
{
    return walk_hidden(spool, queue_dir,
                       &(struct count){.queue = queue, .shared = shared, .each = each, .context = context});
}
