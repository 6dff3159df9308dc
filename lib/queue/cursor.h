/*
 * The reader's place in ready/: which message is next, by priority, then in the order sent.
 *
 * A cursor keeps one bucket's listing and works it off. The page tells when that has become stale: something
 * came into a higher priority, or came back to an old place. Then, and when the bucket is used up, it looks anew:
 * at the head that the page names for each priority, and if that is used up at the list of buckets.
 *
 * Order while others send. A listing may show what was added while it was read and miss what was
 * added just before that. So what was given its position after the look began (the page tells) is
 * not taken from that look, but from the next one, which sees all that came before.
 */
#ifndef MQ_CURSOR_H
#define MQ_CURSOR_H

#include "queue/queue.h"

struct cursor;

/* The next message: 1, its bucket, file name (valid until the next call) and parsed name; 0 there is none now. */
int cursor_next(mq_queue *queue, int *ret_dir, const char **ret_file, struct message_name *ret_name);

/* A claim begins: what could not be moved for the last one may have become movable. */
void cursor_begin(mq_queue *queue);

/* The file that cursor_next gave cannot be moved: it is not given again for this claim. 0 or a negative errno. */
int cursor_pass_over(mq_queue *queue, const char *file);

/* What is left of the file that cursor_next gave comes next, under this name. */
void cursor_put_back(mq_queue *queue, const char *file);

/* The file that cursor_next gave, of several messages, is another's. If files were split since the look, that may be so
   of its first message alone: what is left has a name that the listing lacks, so the next look is anew. (A split by
   another host, or by one who was at it during the look, is found when the listing is used up.) */
void cursor_lost(mq_queue *queue);

void cursor_free(struct cursor *cursor); /* NULL is fine */

#endif
