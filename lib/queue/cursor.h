/*
 * A receiver's place in ready/: which message is next, by priority, then in the order sent.
 *
 * A cursor keeps the listing of one bucket and works through it. The page tells when the listing is out of date:
 * a message came into a higher priority, or came back to an old place. Then, and when the listing is used up, the cursor
 * looks again: into the head bucket that the page names for each priority, and if those are empty into all buckets.
 *
 * Order while others send. A listing that is read while senders add files may show a later file and miss an earlier one.
 * So a message whose position was given out after the look began (the page tells) is not taken from that look. The next
 * look sees every message that came before it.
 *
 *     cursor_begin(&cursor, queue_dir, page);              for each claim
 *     while (cursor_next(cursor, &dir, &file, &name) == 1)
 *         try to move dir/file; if that succeeds: break;
 *
 * Errors are negative errno values.
 */
#ifndef MQ_CURSOR_H
#define MQ_CURSOR_H

#include "format/name.h"
#include "store/page.h"

struct cursor;

/* A claim begins. The first time this makes the cursor, where `*cursor` is NULL. Files that the last claim passed over are
   tried again. */
int cursor_begin(struct cursor **cursor, int queue_dir, struct page *page);

/* The next message: 1, its bucket, file name (valid until the next call) and parsed name. 0: there is none now. */
int cursor_next(struct cursor *cursor, int *ret_dir, const char **ret_file, struct message_name *ret_name);

/* The file that cursor_next returned cannot be moved: do not return it again during this claim. */
int cursor_pass_over(struct cursor *cursor, const char *file);

/* The first message was taken off the file that cursor_next returned: what is left, which has this name, comes next. */
void cursor_put_back(struct cursor *cursor, const char *file);

/*
 * The file that cursor_next returned, of several messages, is gone: another receiver was faster. If files were split
 * since the look began, that receiver may have taken only the first message. Then the rest has a name that the listing
 * lacks, and the next call looks again. (A split on another host, or one that was under way when the look began, is
 * found when the listing is used up.)
 */
void cursor_lost(struct cursor *cursor);

/*
 * The file that cursor_next returned, a lane's token, is gone: another receiver was faster. It is probably about to take
 * those that come next, too, so that the two would meet at each. So some are left to it, the more the longer a run of
 * such losses. They are looked for again a moment later: groups take turns by their age, but for that moment.
 */
void cursor_leap(struct cursor *cursor);

/*
 * Whether this receiver has tried to take a file, and another was faster (`lost`). Receivers that were slower lately meet at
 * the same files. A rename that fails holds the directories from all others meanwhile, and a look does not: so for some
 * claims cursor_is_slow tells that it is better to look first.
 */
void cursor_note_try(struct cursor *cursor, bool lost);
bool cursor_is_slow(const struct cursor *cursor);

void cursor_free(struct cursor *cursor); /* NULL is fine */

#endif
