/*
 * Files that change their queue. Who can read a file is said by its mode, owner and group, and the users of another
 * queue may be others: whatever is to lie in a queue and was not made for it comes by here first.
 *
 *     error = adopt_file(to, dir, name);        then rename or link dir/name into `to`
 *     error = adopt_draft(to, &draft);          then link the draft
 *
 * A file that is as the queue's own files are is left alone, at the cost of looking. The others get a copy, whose content
 * is on the disk: a file may have other names, whose readers must not change.
 */
#ifndef MQ_ADOPT_H
#define MQ_ADOPT_H

#include "base/fs.h"
#include "queue/queue.h"

/* Put a copy under the name of a file of another queue. It takes the file's place at once, and only that of a file that
   is still there: so one of several processes that then move the name has it, and the others find it gone. -ENOENT: it
   is gone. */
int adopt_file(mq_queue *to, int dir, const char *name);

/* The same for a draft that was begun for another queue, which is changed where that is enough. */
int adopt_draft(mq_queue *to, struct fs_draft *draft);

/* Copy a draft that has no name, and can get none, to one in tmp/. */
int adopt_unnamed(mq_queue *queue, struct fs_draft *draft);

#endif
