/*
 * What becomes of the messages of a lane's head that are dead.
 *
 * A message whose file others still need gets its name in dead/ as a split message does: a link in tmp/ with a mark,
 * then the token's name gets that mark, which decides, then the link is renamed. So it cannot become a dead letter
 * twice, however late a process comes. tests/model/lane_heads.pml has the proof.
 */
#ifndef MQ_LANE_BURY_H
#define MQ_LANE_BURY_H

#include "queue/queue.h"

/* Whether the settled token's head is dead, its file is needed by others, and no link of it is decided yet. */
bool lane_bury_needs_link(const struct message_name *token);

/* The first two steps, a lane_end_fn: link the head's file dir/file, and give the token, a struct lane_bury_token, its next
   name. 1, or 0 if the file is gone. -ESTALE: another process has moved the token. */
struct lane_bury_token {
    int *dir;
    char *file;
    struct message_name *name;
};
int lane_bury_link(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *head,
                   const void *argument);

/* Give the messages of the head's file dir/file that `dead` stands for names in dead/, each its own. `dead` is the head's
   name outside of its lane (lane_name.h), with the time and the reason of death. If the head is all that is left of the
   file, that is gone afterwards. `may_be_out`: it was settled without a claim, so it may have been taken out (lane_pass.h).
   `settled_at` is as in lane_birth.h. `each` is called for each dead letter. 1, or 0 if the file is gone. */
typedef void lane_dead_fn(mq_queue *queue, const struct message_name *dead);
int lane_bury(mq_queue *queue, enum mq_state state, int dir, const char *file, const struct message_name *dead,
              bool may_be_out, int64_t settled_at, lane_dead_fn *each);

#endif
