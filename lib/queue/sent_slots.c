/* Slots and marks of sending once. */
#include "queue/sent_slots.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "base/id.h"
#include "queue/sent_drafts.h"
#include "store/access.h"
#include "store/layout.h"

/* A slot that is shorter could be over before a sender on a busy machine has used it. */
#define SHORTEST (CLOCK_SECOND / 10)

/* Other processes begin slots meanwhile, and a listing may miss the file that is renamed. After this many times: -EBUSY. */
#define TRIES 100

/* After this many listings without a slot there is none, since a cleaner removed it. */
#define LISTINGS 10

/* Of so many new marks one looks for what is of no use any more, and removes more than were made since the last. */
#define LOOK_ONE_IN 64
#define BUDGET 256
#define BUDGET_USED 1 /* ends a walk; no errno is positive */

/* Bytes of a directory that has some thousand marks: then the next slot spreads them. A directory takes some millions. */
#define LARGE (256 << 10)

/* What a handle has open. */
struct sent_slots {
    int queue; /* the handle's */
    unsigned sharing;
    const struct shared_clock *clock;
    int tmp;
    int dir;    /* sent/ */
    int slot;   /* sent/slot/ */
    bool known; /* `current` was the current slot when this process looked last */
    struct sent_slot current;
    struct {
        int64_t number;
        int dirs[SENT_NAME_SPREAD + 1]; /* -1: not open; -ENOENT: there are none. The last is SENT_NAME_ONE */
    } marks[2];                         /* by the last bit of the number */
};

/* ---- what is open ----------------------------------------------------------------- */

int sent_slots_new(int queue_dir, unsigned sharing, const struct shared_clock *clock, struct sent_slots **ret_slots)
{
    struct sent_slots *slots = calloc(1, sizeof *slots);
    if (!slots)
        return -ENOMEM;
    *slots = (struct sent_slots){
        .queue = queue_dir, .sharing = sharing, .clock = clock, .tmp = -1, .dir = -1, .slot = -1};
    for (int i = 0; i < 2; i++)
        for (unsigned directory = 0; directory <= SENT_NAME_ONE; directory++)
            slots->marks[i].dirs[directory] = -1;
    *ret_slots = slots;
    return 0;
}

static void close_if_open(int dir)
{
    if (dir >= 0)
        close(dir);
}

static void forget_marks(struct sent_slots *slots, int64_t number)
{
    for (unsigned directory = 0; directory <= SENT_NAME_ONE; directory++) {
        close_if_open(slots->marks[number & 1].dirs[directory]);
        slots->marks[number & 1].dirs[directory] = -1;
    }
}

void sent_slots_free(struct sent_slots *slots)
{
    if (!slots)
        return;
    close_if_open(slots->tmp);
    close_if_open(slots->dir);
    close_if_open(slots->slot);
    for (int i = 0; i < 2; i++)
        forget_marks(slots, i);
    free(slots);
}

int sent_slots_tmp(const struct sent_slots *slots)
{
    return slots->tmp;
}

static int open_or_make_dir(const struct sent_slots *slots)
{
    const int dir = fs_open_dir(slots->queue, SENT_NAME_DIR);
    if (dir != -ENOENT)
        return dir;
    const int error = access_make_dir(slots->queue, slots->sharing, slots->queue, SENT_NAME_DIR);
    return error && error != -EEXIST ? error : fs_open_dir(slots->queue, SENT_NAME_DIR);
}

/* sent/slot/ gets its name together with the first slot in it, and is never empty from then on. So no process can make a
   second one. */
static int fill_slot_dir(const struct sent_slots *slots, const char *name, bool durable)
{
    char text[SENT_NAME_SLOT_SIZE];
    sent_name_format_slot(&(struct sent_slot){.number = shared_clock_now(slots->clock)}, text);
    int error = access_is_shared(slots->sharing) ? access_apply(slots->sharing, ACCESS_DIR, slots->tmp, name)
                                                 : fs_give_to_owner_of(slots->tmp, name);
    const int dir = error ? error : fs_open_dir(slots->tmp, name);
    if (dir < 0)
        return dir;
    const int file = fs_make_file(dir, text, access_mode(slots->sharing, ACCESS_FILE));
    close_if_open(file);
    error = file < 0 ? file : durable ? fs_sync(dir) : 0;
    close(dir);
    return error;
}

static int make_slot_dir(const struct sent_slots *slots, bool durable)
{
    char name[NAME_NEW_BUCKET_SIZE];
    sent_name_format_new_slot_dir(id_random(), name);
    int error = fs_make_dir(slots->tmp, name);
    if (error)
        return error;
    error = fill_slot_dir(slots, name, durable);
    if (!error)
        error = fs_rename(slots->tmp, name, slots->dir, SENT_NAME_SLOT_DIR);
    if (!error && durable)
        return fs_sync(slots->dir);
    if (error)
        (void)spool_remove_tree(slots->tmp, name);
    return error == -EEXIST || error == -ENOTEMPTY ? 0 : error;
}

static int open_slot_dir(struct sent_slots *slots, bool durable)
{
    slots->slot = fs_open_dir(slots->dir, SENT_NAME_SLOT_DIR);
    if (slots->slot == -ENOENT) {
        const int error = make_slot_dir(slots, durable);
        slots->slot = error ? error : fs_open_dir(slots->dir, SENT_NAME_SLOT_DIR);
    }
    return slots->slot < 0 ? slots->slot : 0;
}

static int open_all(struct sent_slots *slots, bool durable)
{
    if (slots->tmp < 0)
        slots->tmp = fs_open_dir(slots->queue, "tmp");
    if (slots->tmp < 0)
        return slots->tmp;
    if (slots->dir < 0)
        slots->dir = open_or_make_dir(slots);
    if (slots->dir < 0)
        return slots->dir;
    return slots->slot < 0 ? open_slot_dir(slots, durable) : 0;
}

/* ---- which slot is current --------------------------------------------------------- */

struct search {
    bool found;
    struct sent_slot slot;
};

/* A listing may show the name before a rename and the one after it. */
static int take_latest(void *context, const char *name, unsigned char type)
{
    struct search *search = context;
    struct sent_slot slot;
    if (type == DT_REG && sent_name_parse_slot(name, &slot) && (!search->found || slot.number > search->slot.number))
        *search = (struct search){true, slot};
    return 0;
}

/* 1 found; 0 there is none; then it is made anew. */
static int find_slot(struct sent_slots *slots)
{
    struct search search = {0};
    int error = 0;
    for (int i = 0; i < LISTINGS && !search.found && !error; i++)
        error = fs_list_at(slots->slot, ".", take_latest, &search);
    if (error)
        return error;
    if (search.found) {
        slots->current = search.slot;
        slots->known = true;
        return 1;
    }
    close(slots->slot);
    slots->slot = -1;
    error = fs_remove_dir(slots->dir, SENT_NAME_SLOT_DIR);
    return error == -ENOTEMPTY || error == -ENOENT ? 0 : error;
}

static int64_t width_of(const struct config *config)
{
    return config->dedup_window > SHORTEST ? config->dedup_window : SHORTEST;
}

/* A slot is over at its end. One that ends farther ahead than a new one would is over when it has lasted a window, since
   the window was shortened, or at once if it began more than a window ahead, since the clock was set back. */
static bool is_due(const struct sent_slot *slot, int64_t now, int64_t width)
{
    if (now >= slot->until)
        return true;
    return slot->until - now > width && (now - slot->begin >= width || slot->begin - now > width);
}

/* Marks of a slot were made before it was over by the clock. So a slot that has been over for a window is of no interest,
   and a number is left out: then nobody looks for its marks. */
static struct sent_slot next_of(const struct sent_slot *slot, int64_t now, int64_t width)
{
    struct sent_slot next = {
        .number = slot->number + 1, .begin = now, .until = name_time_after(now, width), .is_spread = slot->is_spread};
    if (now >= slot->until && now - slot->until < width)
        next.until = name_time_after(slot->until, width);
    else if (now >= slot->until)
        next.number++;
    return next;
}

static int begin_next(struct sent_slots *slots, const struct config *config, int64_t now, bool is_large)
{
    struct sent_slot next = next_of(&slots->current, now, width_of(config));
    char from[SENT_NAME_SLOT_SIZE], to[SENT_NAME_SLOT_SIZE];
    uint64_t removed = 0;
    int error = sent_drafts_void_up_to(slots->tmp, slots->current.number);
    if (!error && config->durable)
        error = fs_sync(slots->tmp);
    if (error)
        return error;
    next.is_spread |= is_large;
    sent_name_format_slot(&slots->current, from);
    sent_name_format_slot(&next, to);
    slots->known = false;
    error = fs_rename(slots->slot, from, slots->slot, to);
    if (error)
        return error == -ENOENT || error == -EEXIST ? 0 : error; /* another process was first */
    if (config->durable)
        error = fs_sync(slots->slot);
    return error ? error : sent_drafts_remove_before(slots->tmp, next.number - 1, &removed);
}

int sent_slots_current(struct sent_slots *slots, const struct config *config, struct sent_slot *ret_slot)
{
    for (int tries = 0; tries < TRIES; tries++) {
        int error = open_all(slots, config->durable);
        if (error)
            return error;
        const int found = slots->known ? 1 : find_slot(slots);
        if (found < 0)
            return found;
        if (found == 0)
            continue;
        /* After the slot was found: else it could seem to begin in the future. */
        const int64_t now = shared_clock_now(slots->clock);
        if (!is_due(&slots->current, now, width_of(config))) {
            *ret_slot = slots->current;
            return 0;
        }
        error = begin_next(slots, config, now, false);
        if (error)
            return error;
    }
    return -EBUSY;
}

int sent_slots_is_current(struct sent_slots *slots, const struct sent_slot *slot)
{
    char text[SENT_NAME_SLOT_SIZE];
    sent_name_format_slot(slot, text);
    const int is = fs_has(slots->slot, text);
    if (is != 1)
        slots->known = false;
    return is == 1 ? shared_clock_now(slots->clock) < slot->until : is;
}

/* ---- marks ------------------------------------------------------------------------- */

static int open_directory(struct sent_slots *slots, int64_t number, unsigned directory)
{
    int *const dir = &slots->marks[number & 1].dirs[directory];
    char name[NAME_BUCKET_SIZE];
    if (slots->marks[number & 1].number != number) {
        forget_marks(slots, number);
        slots->marks[number & 1].number = number;
    }
    if (*dir != -1)
        return *dir;
    sent_name_format_number(number, directory, name);
    const int opened = fs_open_dir(slots->dir, name);
    if (opened >= 0 || (opened == -ENOENT && slots->known && number < slots->current.number))
        *dir = opened;
    return opened;
}

static unsigned directory_of(const struct sent_slots *slots, const char *mark)
{
    return slots->current.is_spread ? sent_name_directory(mark) : SENT_NAME_ONE;
}

/* Open the directory that a mark belongs in. -ENOENT: there is none. In the slot before the current one there will be none
   that counts, so nobody need look again; its marks may have been the last ones to lie together. */
static int open_marks(struct sent_slots *slots, int64_t number, const char *mark)
{
    const unsigned directory = directory_of(slots, mark);
    const int dir = open_directory(slots, number, directory);
    return dir == -ENOENT && directory != SENT_NAME_ONE && number < slots->current.number
               ? open_directory(slots, number, SENT_NAME_ONE)
               : dir;
}

int sent_slots_read_mark(struct sent_slots *slots, int64_t number, const char *mark,
                         char ret_says[SENT_NAME_DRAFT_SIZE])
{
    const int dir = open_marks(slots, number, mark);
    if (dir < 0)
        return dir == -ENOENT ? 0 : dir;
    const int error = fs_read_symlink(dir, mark, ret_says, SENT_NAME_DRAFT_SIZE);
    return error == -ENOENT ? 0 : error == -EINVAL ? -EBADMSG : error ? error : 1; /* EINVAL: it is no symbolic link */
}

int sent_slots_make_mark(struct sent_slots *slots, int64_t number, const char *mark, const char *says)
{
    char like[SENT_NAME_MARK_SIZE] = "";
    return sent_slots_make_mark_like(slots, number, mark, says, like);
}

/* A file system may allow no second name of a symbolic link, or no further one. */
static int put_mark(struct sent_slots *slots, int64_t number, const char *mark, const char *says,
                    char like[SENT_NAME_MARK_SIZE])
{
    const int dir = open_marks(slots, number, mark), from = like[0] ? open_marks(slots, number, like) : -ENOENT;
    if (dir < 0)
        return dir;
    int error = from < 0 ? from : fs_link(from, like, dir, mark);
    if (error && error != -EEXIST)
        error = fs_make_symlink(dir, mark, says);
    if (!error && !like[0])
        strcpy(like, mark);
    return error;
}

/* A cleaner may remove an empty directory at any time. */
int sent_slots_make_mark_like(struct sent_slots *slots, int64_t number, const char *mark, const char *says,
                              char like[SENT_NAME_MARK_SIZE])
{
    char name[NAME_BUCKET_SIZE];
    sent_name_format_number(number, directory_of(slots, mark), name);
    for (int tries = 0; tries < TRIES; tries++) {
        int error = put_mark(slots, number, mark, says, like);
        if (error != -ENOENT)
            return error;
        forget_marks(slots, number);
        error = access_make_dir(slots->queue, slots->sharing, slots->dir, name);
        if (error && error != -EEXIST)
            return error;
    }
    return -EBUSY;
}

/* Those that this handle has open, since it has made marks there or looked for one. */
int sent_slots_persist(struct sent_slots *slots, int64_t number)
{
    int error = slots->marks[number & 1].number == number ? 0 : -ENOENT;
    for (unsigned directory = 0; directory <= SENT_NAME_ONE && !error; directory++) {
        const int dir = slots->marks[number & 1].dirs[directory];
        error = dir < 0 ? 0 : fs_sync(dir);
        if (!error && dir >= 0 && !fs_is_persisted(dir))
            error = fs_persist_dir(slots->dir, dir);
    }
    if (!error && !fs_is_persisted(slots->dir))
        error = fs_persist_dir(slots->queue, slots->dir);
    return error;
}

/* ---- removing ---------------------------------------------------------------------- */

struct removal {
    int sent, dir;
    int64_t before; /* slots before this one are of no use */
    uint64_t removed, budget;
};

static int remove_mark(void *context, const char *name, unsigned char type)
{
    struct removal *removal = context;
    if (type != DT_LNK || fs_unlink(removal->dir, name) != 0)
        return 0;
    removal->removed++;
    return --removal->budget > 0 ? 0 : BUDGET_USED;
}

static int remove_marks(void *context, const char *name, unsigned char type)
{
    struct removal *removal = context;
    int64_t number;
    unsigned directory;
    if (type != DT_DIR || !sent_name_parse_number(name, &number, &directory) || number >= removal->before)
        return 0;
    removal->dir = fs_open_dir(removal->sent, name);
    if (removal->dir < 0)
        return 0;
    const int stop = fs_list_at(removal->dir, ".", remove_mark, removal);
    close(removal->dir);
    if (!stop)
        (void)fs_remove_dir(removal->sent, name);
    return stop < 0 ? 0 : stop;
}

static int remove_before(const struct sent_slots *slots, int64_t number, uint64_t budget, uint64_t *removed)
{
    struct removal removal = {.sent = slots->dir, .before = number, .budget = budget};
    const int stop = fs_list_at(removal.sent, ".", remove_marks, &removal);
    *removed += removal.removed;
    return stop < 0 ? stop : 0;
}

static bool is_large(const struct sent_slots *slots)
{
    struct stat status;
    const int dir = slots->marks[slots->current.number & 1].dirs[SENT_NAME_ONE];
    return !slots->current.is_spread && dir >= 0 && fstat(dir, &status) == 0 && status.st_size > LARGE;
}

/* A slot may end before its time: what was sent in it is known as long as the next one lasts. */
void sent_slots_sweep_some(struct sent_slots *slots, const struct config *config, uint64_t made, uint64_t random)
{
    const uint64_t looks = (made + random % LOOK_ONE_IN) / LOOK_ONE_IN;
    uint64_t removed = 0;
    if (!slots->known || looks == 0)
        return;
    (void)remove_before(slots, slots->current.number - 1, looks * BUDGET, &removed);
    if (is_large(slots))
        (void)begin_next(slots, config, shared_clock_now(slots->clock), true);
}

int sent_slots_sweep(struct sent_slots *slots, const struct config *config, uint64_t *removed)
{
    struct sent_slot slot;
    const int dir = fs_open_dir(slots->queue, SENT_NAME_DIR), has = dir < 0 ? dir : fs_has(dir, SENT_NAME_SLOT_DIR);
    close_if_open(dir);
    if (has != 1)
        return has == -ENOENT ? 0 : has;
    int error = sent_slots_current(slots, config, &slot);
    if (!error)
        error = sent_drafts_remove_before(slots->tmp, slot.number - 1, removed);
    return error ? error : remove_before(slots, slot.number - 1, UINT64_MAX, removed);
}
