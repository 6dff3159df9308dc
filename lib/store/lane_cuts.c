/* Cuts: messages that are taken out of a lane. */
#include "store/lane_cuts.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/fs_list.h"

#define PATH_SIZE (sizeof "lanes/" + LANE_KEY_SIZE)

int lane_cuts_open(int queue_dir, const char *key)
{
    char lane[PATH_SIZE];
    snprintf(lane, sizeof lane, "lanes/%.*s", NAME_LANE_KEY, key);
    return fs_open_dir_below(queue_dir, lane, LANE_CUTS);
}

/* It is q/, or a bucket in there. */
int lane_cuts_open_beside(int dir)
{
    const int cuts = fs_open_dir(dir, "../" LANE_CUTS);
    return cuts == -ENOENT ? fs_open_dir(dir, "../../" LANE_CUTS) : cuts;
}

int lane_cuts_come_to(struct lane_cuts_walk *walk, int queue_dir, const char *key)
{
    if (strcmp(walk->key, key) != 0) {
        lane_cuts_leave(walk);
        strcpy(walk->key, key);
        walk->cuts = lane_cuts_open(queue_dir, key);
    }
    return walk->cuts;
}

void lane_cuts_leave(struct lane_cuts_walk *walk)
{
    if (walk->cuts >= 0)
        close(walk->cuts);
    walk->cuts = -1;
}

/* ---- one cut ------------------------------------------------------------------------ */

static int has_draft(int cuts, enum lane_draft state, uint64_t random)
{
    char text[LANE_DRAFT_SIZE];
    lane_name_format_draft(state, random, text);
    return fs_has(cuts, text);
}

static void remove_draft(int cuts, enum lane_draft state, uint64_t random)
{
    char text[LANE_DRAFT_SIZE];
    lane_name_format_draft(state, random, text);
    (void)fs_unlink(cuts, text);
}

int lane_cuts_void(int cuts, uint64_t random)
{
    char out[LANE_DRAFT_SIZE], void_text[LANE_DRAFT_SIZE];
    lane_name_format_draft(LANE_DRAFT_OUT, random, out);
    lane_name_format_draft(LANE_DRAFT_VOID, random, void_text);
    const int error = fs_rename_unique(cuts, out, cuts, void_text);
    return error == -ENOENT ? 0 : error ? error : 1;
}

/* What the cut says. 1, or 0: there is no such cut. What is no cut is like one whose draft is void. */
static int read_cut(int cuts, uint64_t position, int nth, struct lane_says *ret_says)
{
    char name[LANE_CUT_SIZE], text[LANE_SAYS_SIZE];
    lane_name_format_cut(position, nth, name);
    const int error = fs_read_symlink(cuts, name, text, sizeof text);
    if (error && error != -EINVAL && error != -EBADMSG)
        return error == -ENOENT ? 0 : error;
    return error || !lane_name_parse_says(text, ret_says) ? -EBADMSG : 1;
}

/* 0: its draft is void; or it is open, unless that ends it. */
static int judge(int cuts, const struct lane_says *says, bool ends)
{
    const int open = ends ? lane_cuts_void(cuts, says->random) : has_draft(cuts, LANE_DRAFT_OUT, says->random);
    if (open)
        return open < 0 ? open : 0;
    const int is_void = has_draft(cuts, LANE_DRAFT_VOID, says->random);
    return is_void ? (is_void < 0 ? is_void : 0) : says->is_late ? LANE_CUT_LATE : LANE_CUT_COUNTED;
}

static int is_out(int cuts, uint64_t position, bool ends)
{
    for (int nth = 1; nth <= LANE_CUTS_MAX; nth++) {
        struct lane_says says;
        const int has = read_cut(cuts, position, nth, &says);
        const int is = has == 1 ? judge(cuts, &says, ends) : has;
        if (has == 0 || (is && is != -EBADMSG))
            return is;
    }
    return 0;
}

int lane_cuts_is_out(int cuts, uint64_t position)
{
    return is_out(cuts, position, false);
}

int lane_cuts_end(int cuts, uint64_t position)
{
    return is_out(cuts, position, true);
}

uint32_t lane_cuts_count(int cuts, uint64_t position, uint32_t count)
{
    uint32_t out = 0;
    for (uint32_t i = 0; i < count && cuts >= 0; i++)
        out += lane_cuts_is_out(cuts, position + i) == LANE_CUT_COUNTED;
    return out;
}

/* An open cut of another process is made void: it may have died. */
int lane_cuts_make(int cuts, uint64_t position, uint64_t random, bool is_late)
{
    char name[LANE_CUT_SIZE], text[LANE_SAYS_SIZE];
    lane_name_format_says(&(struct lane_says){random, is_late}, text);
    for (int nth = 1; nth <= LANE_CUTS_MAX; nth++) {
        struct lane_says other;
        lane_name_format_cut(position, nth, name);
        const int error = fs_make_symlink(cuts, name, text);
        if (error != -EEXIST)
            return error ? error : 1;
        const int has = read_cut(cuts, position, nth, &other), is = has == 1 ? judge(cuts, &other, true) : has;
        if (is && is != -EBADMSG)
            return is < 0 ? is : 0;
    }
    return -EBUSY;
}

/* ---- clearing ---------------------------------------------------------------------- */

struct range {
    int cuts;
    uint64_t position;
    uint32_t count;
};

/* The open draft first, so that whoever is about to take the message out cannot. */
static int clear_one(void *context, const char *name, unsigned char type)
{
    const struct range *range = context;
    char text[LANE_SAYS_SIZE];
    struct lane_says says;
    uint64_t position;
    if (type != DT_LNK || !lane_name_parse_cut(name, &position) || position - range->position >= range->count)
        return 0;
    const bool is = fs_read_symlink(range->cuts, name, text, sizeof text) == 0 && lane_name_parse_says(text, &says);
    if (is)
        remove_draft(range->cuts, LANE_DRAFT_OUT, says.random);
    (void)fs_unlink(range->cuts, name);
    if (is)
        remove_draft(range->cuts, LANE_DRAFT_VOID, says.random);
    return 0;
}

void lane_cuts_clear(int cuts, uint64_t position, uint32_t count)
{
    (void)fs_list_at(cuts, ".", clear_one, &(struct range){cuts, position, count});
}

static int remove_one(void *context, const char *name, unsigned char type)
{
    uint64_t position;
    if ((type == DT_LNK && lane_name_parse_cut(name, &position)) || (type == DT_REG && lane_name_is_draft(name)))
        (void)fs_unlink(*(const int *)context, name);
    return 0;
}

void lane_cuts_remove(int lane)
{
    const int cuts = fs_open_dir(lane, LANE_CUTS);
    if (cuts < 0)
        return;
    (void)fs_list_at(cuts, ".", remove_one, &(int){cuts});
    close(cuts);
    (void)fs_remove_dir(lane, LANE_CUTS);
}
