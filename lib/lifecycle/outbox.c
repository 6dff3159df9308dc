/* The outbox of a spool: its directory, and finding what is in it. */
#include "lifecycle/outbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/as_user.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/id.h"
#include "format/spool_name.h"
#include "store/spool.h"

/* How often a transaction may be renamed while it is looked for: it is extended now and then, and decided once. */
#define LOOKS 3

/* How long an owner that lives takes to carry out its own transaction. */
#define OWNER_TIME CLOCK_SECOND

/* ---- the directory -------------------------------------------------------------------------- */

/* As open to others as the spool: a user who may make a queue there may have a transaction. */
static int open_to_others(int spool, int dir)
{
    struct stat spool_status, status;
    if (fstat(spool, &spool_status) < 0 || fstat(dir, &status) < 0)
        return -errno;
    if ((spool_status.st_mode & 077) == 0)
        return 0;
    int error = spool_status.st_gid == status.st_gid ? 0 : fs_set_owner(dir, (uid_t)-1, spool_status.st_gid);
    if (!error || error == -EPERM)
        error = fs_set_mode(dir, spool_status.st_mode & (07777 & ~S_ISUID));
    return error;
}

/* Under a name of its own first, so that nobody meets it with another mode. */
static int make(int spool)
{
    char pending[NAME_PENDING_SIZE];
    name_format_pending(NAME_NEW, "outbox", id_random(), pending);
    int error = fs_make_dir(spool, pending);
    if (error)
        return error;
    const int dir = fs_open_dir(spool, pending);
    error = dir < 0 ? dir : open_to_others(spool, dir);
    if (!error)
        error = fs_rename(spool, pending, spool, OUTBOX);
    if (dir >= 0)
        close(dir);
    if (error)
        (void)fs_remove_dir(spool, pending);
    return error == -ENOTEMPTY || error == -EEXIST ? 0 : error;
}

int outbox_open(int spool, bool make_it)
{
    const int outbox = fs_open_dir(spool, OUTBOX);
    if (outbox != -ENOENT || !make_it)
        return outbox;
    const int error = make(spool);
    return error ? error : fs_open_dir(spool, OUTBOX);
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
        return errno == ENOENT ? 0 : -errno;
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
    int outbox;
    const char *queue;
    bool shared;
    struct outbox_hidden hidden;
    outbox_claim_fn *each; /* NULL: only count */
    void *context;
};

static int count_entry(void *context, const char *file, unsigned char type)
{
    struct count *count = context;
    struct outbox_entry entry;
    (void)type;
    if (!outbox_parse_entry(file, &entry) || strcmp(entry.queue, count->queue) != 0)
        return 0;
    count->hidden.claims += outbox_is_input(entry.kind) ? entry.name.count : 0;
    count->hidden.tokens += outbox_is_input(entry.kind) && entry.name.lane[0] ? entry.name.count : 0;
    count->hidden.dead += entry.kind == OUTBOX_DEAD ? entry.name.count : 0;
    return count->each && outbox_is_input(entry.kind) ? count->each(count->context, &entry.name) : 0;
}

/* One that gets another name meanwhile is looked for under that. */
static int count_in(void *context, const struct outbox_place *place)
{
    struct count *count = context;
    struct outbox_place now = *place;
    const struct outbox_hidden before = count->hidden;
    int error = fs_list_at(count->outbox, now.name, count_entry, count);
    while (error == -ENOENT && (error = outbox_find(count->outbox, place->id, &now)) == 1) {
        count->hidden = before;
        error = fs_list_at(count->outbox, now.name, count_entry, count);
    }
    return error == -EACCES && !count->shared && place->owner != geteuid() ? 0 : error;
}

static int walk_hidden(int spool, struct count *count)
{
    count->outbox = outbox_open(spool, false);
    if (count->outbox < 0)
        return count->outbox == -ENOENT ? 0 : count->outbox;
    const int error = outbox_walk(count->outbox, count_in, count);
    close(count->outbox);
    return error;
}

int outbox_count_hidden(int spool, const char *queue, bool shared, struct outbox_hidden *ret_hidden)
{
    struct count count = {.queue = queue, .shared = shared};
    const int error = walk_hidden(spool, &count);
    if (!error)
        *ret_hidden = count.hidden;
    return error;
}

int outbox_each_claim(int spool, const char *queue, bool shared, outbox_claim_fn *each, void *context)
{
    return walk_hidden(spool, &(struct count){.queue = queue, .shared = shared, .each = each, .context = context});
}

/* ---- finishing ------------------------------------------------------------------------------ */

struct duty {
    const char *spool_path;
    int outbox;
    enum outbox_patience patience;
    int64_t now;
    int error;
    bool left;
    struct handles handles;
};

/* 1 it is ours to finish, 0 it is not yet, or others did it first. An open one past its deadline is aborted by the
   rename, which has one winner: a commit that comes later finds no such name. */
static int decide(const struct duty *duty, struct outbox_place *place)
{
    if (place->state != OUTBOX_OPEN)
        return duty->patience == OUTBOX_AT_ONCE || duty->now - place->since >= OWNER_TIME;
    if (place->deadline > duty->now)
        return 0;
    char name[OUTBOX_NAME_SIZE];
    outbox_format(OUTBOX_ABORTED, place->id, 0, name);
    const int error = fs_rename(duty->outbox, place->name, duty->outbox, name);
    if (error)
        return error == -ENOENT ? 0 : error;
    place->state = OUTBOX_ABORTED;
    strcpy(place->name, name);
    return 1;
}

static int decide_and_finish(const struct duty *duty, const struct outbox_place *place, struct handles *handles)
{
    struct outbox_place own = *place;
    const int decided = decide(duty, &own);
    return decided == 1 ? outbox_finish(duty->spool_path, duty->outbox, &own, handles) : decided;
}

/* Root finishes the transactions of others with their rights, and with handles that were opened with those. */
static int finish_as_owner(const struct duty *duty, const struct outbox_place *place)
{
    struct as_user self;
    struct handles handles = {0};
    const int error = as_user_begin(place->owner, &self);
    if (error)
        return error;
    const int done = decide_and_finish(duty, place, &handles);
    handles_release(&handles);
    as_user_end(&self);
    return done;
}

/* What cannot be finished keeps nobody from the others. */
static int finish_one(void *context, const struct outbox_place *place)
{
    struct duty *duty = context;
    const uid_t user = geteuid();
    duty->left = true;
    if (place->owner != user && user != 0)
        return 0;
    const int done = place->owner == user ? decide_and_finish(duty, place, &duty->handles)
                                          : finish_as_owner(duty, place);
    if (done < 0 && place->owner == user && !duty->error)
        duty->error = done;
    return 0;
}

int outbox_finish_all(const char *spool_path, enum outbox_patience patience, bool *ret_left)
{
    struct duty duty = {.spool_path = spool_path, .patience = patience, .now = clock_now()};
    const int spool = spool_open(spool_path, false);
    duty.outbox = spool < 0 ? spool : outbox_open(spool, false);
    if (spool >= 0)
        close(spool);
    if (duty.outbox < 0) {
        *ret_left = false;
        return duty.outbox == -ENOENT ? 0 : duty.outbox;
    }
    const int error = outbox_walk(duty.outbox, finish_one, &duty);
    handles_release(&duty.handles);
    close(duty.outbox);
    *ret_left = duty.left || error;
    return error ? error : duty.error;
}

bool outbox_look(mq_queue *queue, int64_t now, bool receives)
{
    uint64_t duty;
    bool left;
    if (!receives && page_outbox_time(queue->page) == PAGE_OUTBOX_UNKNOWN)
        return false;
    if (!page_take_outbox(queue->page, now, &duty))
        return false;
    (void)outbox_finish_all(queue->spool, OUTBOX_LATER, &left);
    page_end_outbox(queue->page, duty, left);
    return left;
}
