/*
 * Drafts: files that no other process can find until they are complete.
 *
 *     struct fs_draft draft;
 *     error = fs_draft_open(&draft, queue_dir, "tmp", mode);
 *     …write to draft.file…
 *     error = fs_draft_link(&draft, dir, name);     now it is visible, as dir/name
 *     fs_draft_close(&draft);                       always, also if linking failed
 *
 * A draft has no name at all if the file system can make such files (O_TMPFILE). Otherwise it has a random name in
 * tmp/, and closing the draft removes that name. If the process dies before, a sweep removes it.
 *
 * Errors. Each call returns 0 or a negative errno. A draft whose opening failed needs no closing. A failed link leaves
 * the draft as it was, so that it can be linked elsewhere.
 */
#ifndef MQ_FS_DRAFT_H
#define MQ_FS_DRAFT_H

#include <sys/types.h>

struct fs_draft {
    int file;
    int tmp;       /* the directory of its name; -1: it has none */
    char name[24]; /* in tmp, if it has one */
};

/* `tmp` names a directory of `at`. */
int fs_draft_open(struct fs_draft *draft, int at, const char *tmp, mode_t mode);

/* The same, always with a name in tmp/: for where fs_draft_link returned -ENXIO. */
int fs_draft_open_named(struct fs_draft *draft, int at, const char *tmp, mode_t mode);

/* -EEXIST: the name is taken. -ENXIO: a file without a name cannot be given one here, because the kernel refuses to
   link it by its descriptor and /proc is not mounted. -EOPNOTSUPP: the file system has no links. */
int fs_draft_link(const struct fs_draft *draft, int dir, const char *name);
void fs_draft_close(struct fs_draft *draft);

#endif
