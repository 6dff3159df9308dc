/* The tokens of an ordered queue's lanes, as a walk over the states shows them. */
#ifndef MQ_LANE_TOKENS_H
#define MQ_LANE_TOKENS_H

#include "queue/queue.h"
#include "store/bucket.h"

struct lane_token {
    char lane[NAME_LANE_SIZE];
    enum mq_state state;
    char bucket[NAME_BUCKET_SIZE];
    char file[NAME_SIZE];
    uint64_t head;
    uint32_t of;     /* how many messages are in the head's file: another file may be at its place */
    uint32_t ahead;  /* how many messages of the head's file are done, or the token's; UINT32_MAX: all */
    uint32_t passed; /* how many of them are done, settled or in flight; UINT32_MAX: all */
    bool settled;
};

struct lane_tokens {
    struct lane_token *all; /* sorted by lane */
    size_t count, room;
};

/* Add the tokens that are there now. One that moves during the walk may be missing, or be there twice. */
int lane_tokens_read(mq_queue *queue, struct lane_tokens *tokens);
void lane_tokens_free(struct lane_tokens *tokens);

/* Add those that are in one bucket of ready/, an open directory. */
int lane_tokens_read_bucket(int dir, struct lane_tokens *tokens);

/* One that a name tells of. */
struct lane_token lane_token_of(const struct bucket_file *file);

/* Add one that a walk over a state has come to. After the last one lane_tokens_sort makes them ready for use. */
int lane_tokens_add(struct lane_tokens *tokens, const struct bucket_file *file);
void lane_tokens_sort(struct lane_tokens *tokens);

/* Whether there is one of this generation. */
bool lane_tokens_has(const struct lane_tokens *tokens, const char *generation);

/* How many messages of a file in the lane `key` do not wait behind the head: UINT32_MAX all, 0 none. */
uint32_t lane_tokens_count_ahead(const struct lane_tokens *tokens, const char *key, const struct message_name *file);

/* The first of those that the lane `key` has; NULL: none. */
const struct lane_token *lane_tokens_find(const struct lane_tokens *tokens, const char *key);

/* Whether a message is claimed or settled, the `index`th of `of` in the file at `position` in the lane of that generation: 1
   or 0. -EAGAIN: the lane's token was not found. */
int lane_tokens_have_passed(const struct lane_tokens *tokens, const char *generation, uint64_t position, uint32_t of,
                            uint64_t index);
/* The same, as one token has it. */
bool lane_token_has_passed(const struct lane_token *token, uint64_t position, uint32_t of, uint64_t index);

/* Whether it is still where it was seen. */
int lane_token_is_there(mq_queue *queue, const struct lane_token *token);

/* Call `each` for every lane that has a generation and, in several looks, no token of it. */
int lane_tokens_find_missing(mq_queue *queue, int (*each)(void *context, const char *generation), void *context);

#endif
