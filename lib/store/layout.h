/* The directories that a queue consists of. Making them durable is the caller's part. */
#ifndef MQ_LAYOUT_H
#define MQ_LAYOUT_H

/* Whether a directory is a queue's, of which some empty parts may have been removed. 1, 0, or why that cannot be told. */
int layout_is_queue(int dir);

/* Make the directories of a queue that are missing, shared as access.h has it. */
int spool_make_dirs(int queue_dir, unsigned sharing);

/* The same for a queue that exists, shared as its other directories are. -ENOTDIR: it is no queue. */
int spool_heal(int queue_dir);

/* Remove a directory with everything in it, even while other processes still put something there. */
int spool_remove_tree(int at, const char *name);

#endif
