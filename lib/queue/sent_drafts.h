/*
 * The drafts of messages that are sent once. Each has a name in tmp/ that no other draft ever has. One rename decides
 * what becomes of a draft: to ready/ or delayed/, and it is delivered, or to the name that says that it is void. Any
 * process may do either; the other one then fails.
 */
#ifndef MQ_SENT_DRAFTS_H
#define MQ_SENT_DRAFTS_H

#include "format/sent_name.h"

/* Make a draft void. 1: it is void now. 0: it had no such name any more, so it is void already or was delivered.
   -EBUSY: it is another user's. */
int sent_drafts_void(int tmp, const char *draft);

/* Whether a draft is known to be void: 1 or 0. What is void is forgotten two slots later. */
int sent_drafts_is_void(int tmp, const char *draft);

/* Make all drafts of a slot and of those before it void. */
int sent_drafts_void_up_to(int tmp, int64_t number);

/* Remove a draft, which is a directory if it is for several queues. */
int sent_drafts_remove(int tmp, const char *draft);

/* Remove what is void and of a slot before this one; what was removed is added to `removed`. */
int sent_drafts_remove_before(int tmp, int64_t number, uint64_t *removed);

#endif
