/* The drafts of messages that are sent once. */
#include "queue/sent_drafts.h"

#include <errno.h>

#include "base/fs.h"
#include "base/fs_list.h"
#include "store/layout.h"

int sent_drafts_void(int tmp, const char *draft)
{
    char name[NAME_SIZE];
    sent_name_void(draft, name);
    const int error = fs_rename(tmp, draft, tmp, name);
    if (error == -EPERM) /* in a sticky tmp/ it is another user's */
        return -EBUSY;
    return error == 0 ? 1 : error == -ENOENT ? 0 : error;
}

int sent_drafts_is_void(int tmp, const char *draft)
{
    char name[NAME_SIZE];
    sent_name_void(draft, name);
    return fs_has(tmp, name);
}

int sent_drafts_remove(int tmp, const char *draft)
{
    const int error = fs_unlink(tmp, draft);
    return error == -EISDIR ? spool_remove_tree(tmp, draft) : error;
}

struct walk {
    int tmp;
    int64_t number;
    uint64_t changed;
};

/* A file that a user who may only send has made up belongs to no mark, so it may stay. */
static int void_one(void *context, const char *name, unsigned char type)
{
    struct walk *walk = context;
    enum sent_kind kind;
    int64_t number;
    (void)type;
    if (!sent_name_parse_draft(name, &kind, &number) || kind != SENT_ONCE || number > walk->number)
        return 0;
    const int done = sent_drafts_void(walk->tmp, name);
    walk->changed += done == 1;
    return done == -EEXIST || done == -EBUSY || done > 0 ? 0 : done;
}

/* A listing may miss a name while others are renamed. */
int sent_drafts_void_up_to(int tmp, int64_t number)
{
    struct walk walk = {.tmp = tmp, .number = number};
    int error;
    do {
        walk.changed = 0;
        error = fs_list_at(tmp, ".", void_one, &walk);
    } while (!error && walk.changed > 0);
    return error;
}

static int remove_one(void *context, const char *name, unsigned char type)
{
    struct walk *walk = context;
    enum sent_kind kind;
    int64_t number;
    (void)type;
    if (sent_name_parse_draft(name, &kind, &number) && kind == SENT_VOID && number < walk->number)
        walk->changed += sent_drafts_remove(walk->tmp, name) == 0;
    return 0;
}

int sent_drafts_remove_before(int tmp, int64_t number, uint64_t *removed)
{
    struct walk walk = {.tmp = tmp, .number = number};
    const int error = fs_list_at(tmp, ".", remove_one, &walk);
    *removed += walk.changed;
    return error;
}
