/*
 * Files that change their queue. The mode, owner and group of a file say who can read it, and another queue may have
 * other users. So a file that was not made for a queue is adopted before it is moved or linked into it:
 *
 *     error = adopt_file(queue_dir, sharing, dir, name);      then rename or link dir/name into the queue
 *     error = adopt_draft(queue_dir, sharing, &draft);        then link the draft
 *
 * The queue is `queue_dir`, shared as `sharing` says. A file that is like the queue's own files is left alone: that costs
 * a look. Any other file is replaced by a copy whose content is on the disk; it may have other names, and what those name
 * must not change.
 *
 * Errors are negative errno values.
 */
#ifndef MQ_ADOPT_H
#define MQ_ADOPT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/fs_draft.h"

/* Replace the file dir/name by a copy. The copy only takes the place of a file that is still there: of several processes
   that then move the name one succeeds, and the others find it gone. -ENOENT: it is gone. */
int adopt_file(int queue_dir, unsigned sharing, int dir, const char *name);

/* Make tmp/name a copy of `file`, like the queue's own files. */
int adopt_copy(int queue_dir, unsigned sharing, int file, int tmp, const char *name);

/* What is known of a file, which may have other names. */
struct adopt_look {
    bool is_known;
    struct stat status;
};

/* The same, where more is known: the identity of `queue_dir`, or NULL; and the file, which is looked at unless it is. */
int adopt_file_as(int queue_dir, unsigned sharing, const struct fs_identity *identity, int dir, const char *name,
                  struct adopt_look *look);

/* The same for a draft that was begun for another queue. It is changed where possible, else copied. */
int adopt_draft(int queue_dir, unsigned sharing, struct fs_draft *draft);

/* Copy a draft without a name, which cannot be given one, to one that has a name in tmp/. */
int adopt_unnamed(int queue_dir, unsigned sharing, struct fs_draft *draft);

#endif
